"""Running student code so that it harms nobody: protection levels, namespaces, filters and limits.

In reading order: `levels` (what this machine offers), `launching` and `kernel` (the grader's side), `request`
(what passes between), `zygote`, `supervisor` and `child` (the other side), then what protects: `view`,
`namespaces`, `seccomp` with `syscalls`, `landlock`, `limits`, `cgroups`, `watcher`; `proxy` is the only way
to a model, `provisioner` the way in for Jupyter clients. Students reading this: `child.enter_sandbox` is the
heart.
"""

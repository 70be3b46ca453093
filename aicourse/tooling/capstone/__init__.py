"""The capstone: a project of one's own, checked by a program and reviewed by three peers.

`project` reads a stranger's folder within limits, `checking` says if it keeps what it promises (`aicourse
capstone check`), `peer_review` assigns reviewers, writes their forms and merges them into a gradebook.
"""

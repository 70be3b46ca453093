"""Draw the course's product photos: outlines filled with materials, put on a background, seen by a bad camera.

Modules, each using only the ones before it: `noise`, `colours`, `materials`, `outlines`, the shapes (`garments`,
`footwear_bags`, `furniture`, `household`, `gear`), `painting`, `backgrounds`, `camera`, `scenes`. numpy and Pillow only.

Not handled: real three-dimensional geometry. Roundness is faked by lighting the blurred outline.
"""

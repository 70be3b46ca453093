"""Draw product photos: outlines filled with materials, on a background, seen by a bad camera.

Modules, each using only those before it: `noise`, `colours`, `materials`, `outlines`; the shapes (`garments`,
`footwear`, `bags`, `furniture`, `cabinets`, `household`, `toys_garden`, `sports_wheels`, `electronics`);
`painting`, `backgrounds`, `labels`, `camera`, `scenes`. They need numpy and Pillow only.

Not handled: real three-dimensional geometry. Roundness is faked by lighting the blurred outline.
"""

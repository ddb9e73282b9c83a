"""Makes pictures of pages small: a palette in the place of full colour, which pages hardly need.

palette.py FILE…
"""

import sys

from PIL import Image

for path in sys.argv[1:]:
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(256, method=Image.Quantize.MAXCOVERAGE, kmeans=4, dither=Image.Dither.NONE).save(path, optimize=True)

"""reduce.py FROM TO COLOURS: makes a picture of a page small: at most HEIGHT_MAX pixels high, few colours."""

import sys

from PIL import Image

HEIGHT_MAX = 1500

source, target, colours = sys.argv[1:]
picture = Image.open(source).convert("RGB")
picture = picture.crop((0, 0, picture.width, min(picture.height, HEIGHT_MAX)))
# Nearest colours instead of dithering: text stays sharp, and flat ground compresses.
picture = picture.quantize(int(colours), method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
picture.save(target, optimize=True)

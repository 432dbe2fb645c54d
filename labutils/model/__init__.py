"""What is trained: models by name, encoding, training, asking."""

import os

# Every product of a new shape leaves prepared code behind in two caches of torch's CPU library, oneDNN, of 1,024
# entries each: half a GB in a notebook that tunes, looks and asks. With 64 entries training is as fast; only `base` on
# a processor with AMX takes a sixth longer. Both are read when torch first multiplies.
# https://uxlfoundation.github.io/oneDNN/dev_guide_primitive_cache.html
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")
os.environ.setdefault("LRU_CACHE_CAPACITY", "64")

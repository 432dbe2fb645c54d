"""What is trained: models by name, encoding, training, asking."""

import os

# Every product of a new shape leaves prepared code behind in two caches of torch's CPU library, oneDNN, and batches of
# sentences have a new shape at nearly every step. With its own 1,024 entries each, a run grows by 500 MB in 40 steps,
# with 64 by 170 MB, in the same time. Both are read when torch first multiplies.
# https://uxlfoundation.github.io/oneDNN/dev_guide_primitive_cache.html
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")
os.environ.setdefault("LRU_CACHE_CAPACITY", "64")

"""Have MKL compute every product, however small: pytest -p support.mkl_everywhere, DELTAWIRE_BLAS=mkl."""

from deltawire_layers import blas

assert blas.name() == "mkl"
blas.LEAST = 0

"""riskcalc: prune a large model, or train a small one? Exact high-dimensional risks of both.

The public names load on first use, so that importing the package is cheap; `__init__.pyi` says where each one lives.
"""

from importlib.metadata import version

import lazy_loader

__version__ = version("riskcalc")
__getattr__, _, __all__ = lazy_loader.attach_stub(__name__, __file__)
# These need Hypothesis, and `from riskcalc import *` needs no extra.
__all__.remove("strategies")  # pyright: ignore[reportUnsupportedDunderAll]


def __dir__() -> list[str]:
    return [*__all__, "strategies", "__version__"]

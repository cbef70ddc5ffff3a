"""The derivatives beside the gradient of the loss: each of the functions here is a method of `Network`.

`vjp` runs backwards from any nodes, `jvp` forwards by the complex step, `jacobian` in the cheaper direction;
`hvp` and `hessian_diagonal` run the complex step through a whole gradient.
"""

from deltawire_service.engine.derivatives.directions import Direction, check_outputs
from deltawire_service.engine.derivatives.hessian import Diagonal, HessianProducts, hessian_diagonal, hvp
from deltawire_service.engine.derivatives.jacobian import Jacobian, jacobian
from deltawire_service.engine.derivatives.jvp import Tangents, jvp
from deltawire_service.engine.derivatives.per_example import per_example_gradients
from deltawire_service.engine.derivatives.vjp import Products, vjp

__all__ = [
    "Diagonal",
    "Direction",
    "HessianProducts",
    "Jacobian",
    "Products",
    "Tangents",
    "check_outputs",
    "per_example_gradients",
    "hessian_diagonal",
    "hvp",
    "jacobian",
    "jvp",
    "vjp",
]

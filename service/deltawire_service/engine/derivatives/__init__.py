"""Everything a network computes: values, gradients and the other derivatives, each from a `Prepared` network.

`gradients` and `vjp` run backwards, from the loss and from any nodes; `jvp` runs forwards by the complex
step, `jacobian` in the cheaper direction; `hvp` and `hessian_diagonal` run the complex step through a whole
gradient.
"""

"""A jax model with a served layer learns a sine: python examples/jax_middle_layer.py [URL]."""

import sys

import jax
import numpy as np
from jax import numpy as jnp

from deltawire import Client, Network
from deltawire.integrations.jax import remote_function

net = Network()
x = net.input("x", shape=(16,))
net.layer("tanh", net.layer("linear", x, units=16, name="hidden"), name="out")

client = Client(sys.argv[1] if len(sys.argv) > 1 else None)  # without a URL, the service runs in this process
middle = remote_function(net, client=client)

stream = np.random.default_rng(0)
params = {
    "first": jnp.asarray(stream.standard_normal((1, 16)), jnp.float32),
    "middle": {name: jnp.asarray(array) for name, array in client.init(net, dtype="float32").items()},
    "last": jnp.asarray(stream.standard_normal((16, 1)) / 4, jnp.float32),
}


def loss(params, x, y):
    first = jnp.sin(x @ params["first"])
    served = middle(params["middle"], {"x": first})["out"]
    return ((served @ params["last"] - y) ** 2).mean()


step = jax.jit(jax.value_and_grad(loss))  # the compiled function calls the service
places = jnp.linspace(-3, 3, 100, dtype=jnp.float32)[:, None]
for epoch in range(200):
    now, gradients = step(params, places, jnp.sin(2 * places))
    params = jax.tree.map(lambda w, gradient: w - 0.1 * gradient, params, gradients)
    if epoch % 50 == 0:
        print(f"epoch {epoch}: loss {now:.4f}")

print(f"mean squared error at the end: {now:.4f}")
sys.exit(not now < 0.02)

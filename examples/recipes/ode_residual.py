"""Solve u' = −u with u(0) = 1 by a network: python examples/recipes/ode_residual.py [URL].

The solution is written u(t) = 1 + t N(t), so that u(0) is right. Training makes the residual u' + u small. It
has N' in it, the derivative of the network with respect to its input, which `jvp` computes. The gradient of
N' with respect to the parameters is a second derivative, which `hvp` computes exactly.
"""

import sys

import numpy as np
from rich.progress import track

from deltawire import Client, Network, optim

net = Network()
hidden = net.layer("tanh", net.layer("linear", net.input("t", shape=(1,)), units=32))
net.layer("linear", hidden, units=1, name="N")

client = Client(*sys.argv[1:])  # without a URL, the service runs in this process
params = client.init(net, seed=0)
optimizer = optim.adam(learning_rate=0.05, schedule=optim.schedules.cosine(T_max=800))
t = np.linspace(0, 2, 50).reshape(-1, 1)
ahead = {"t": np.ones_like(t)}  # the direction in which t grows
for _ in track(range(800), "training"):
    values, slopes = client.jvp(net, params, {"t": t}, ahead, ["N"])
    N, dN = values["N"], slopes["N"]
    residual = (N + t * dN) + (1 + t * N)  # u' + u
    cotangent = 2 * residual / len(t)  # the derivative of the mean square
    through_N = client.vjp(net, params, {"t": t}, {"N": cotangent * (1 + t)})
    through_dN = client.hvp(
        net, params, {"t": t}, ahead, wrt={"params": True}, cotangents={"N": cotangent * t}
    )
    optimizer.step(params, {name: through_N[name] + through_dN[name] for name in params})

u = 1 + t * client.forward(net, params, {"t": t}, ["N"])["N"]
error = np.abs(u - np.exp(-t)).max()
print(f"largest error of u on [0, 2]: {error:.1e}")
if error > 5e-3:
    sys.exit("the equation is not solved")

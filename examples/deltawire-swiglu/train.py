"""Train a small network with swiglu through a running service: is a point inside the unit circle?

python train.py http://127.0.0.1:8000
"""

import sys

import numpy as np

from deltawire import Client, Network

net = Network()
point = net.input("point", shape=(2,))
inside = net.input("inside", dtype="int64")
hidden = net.layer("swiglu", point, units=8)
net.loss = net.layer("softmax_nll", net.layer("linear", hidden, units=2), inside)

points = np.random.default_rng(0).uniform(-1.5, 1.5, (256, 2))
batch = {"point": points, "inside": ((points**2).sum(axis=1) < 1).astype(np.int64)}

with Client(sys.argv[1]) as client:
    params = client.init(net, seed=0)
    for step in range(301):
        loss, grads = client.value_and_grad(net, params, batch)
        for name in params:
            params[name] -= grads[name]
        if step % 100 == 0:
            print(f"step {step}: loss {loss:.3f}")

sys.exit(loss > 0.1)

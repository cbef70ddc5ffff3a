"""A torch model with a served layer learns two spirals: python examples/torch_middle_layer.py [URL]."""

import sys

import torch
from torch import nn

from deltawire import Client, Network
from deltawire.integrations.torch import RemoteNetwork

torch.manual_seed(0)
net = Network()
x = net.input("x", shape=(16,))
hidden = net.layer("tanh", net.layer("linear", x, units=16, name="hidden"))
net.layer("add", x, hidden, name="out")  # the layer, and a connection around it

client = Client(sys.argv[1] if len(sys.argv) > 1 else None)  # without a URL, the service runs in this process
model = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), RemoteNetwork(net, client=client), nn.Linear(16, 1))

angle = torch.linspace(0.5, 9, 200)
arm = torch.stack([angle * angle.cos(), angle * angle.sin()], 1) / 9
points, kinds = torch.cat([arm, -arm]), torch.cat([torch.zeros(200, 1), torch.ones(200, 1)])

optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
for epoch in range(250):
    optimizer.zero_grad()
    loss = nn.functional.binary_cross_entropy_with_logits(model(points), kinds)
    loss.backward()  # the service is asked for one vector-Jacobian product
    optimizer.step()
    if epoch % 50 == 0:
        print(f"epoch {epoch}: loss {loss.item():.3f}")

right = ((model(points) > 0) == (kinds > 0.5)).float().mean().item()
print(f"on the right spiral: {right:.1%}")
sys.exit(right < 0.95)

"""Networks as large as those that people train: ResNet-50, and one with the sizes of GPT-2 small."""

from __future__ import annotations

from deltawire import Network

VOCABULARY, WIDTH, BLOCKS, HEADS = 50_257, 768, 12, 12


def resnet50(size: int = 64) -> Network:
    """ResNet-50 (He et al., arXiv:1512.03385) for images of (3, size, size): 25.6 million parameters."""
    net = Network()

    def normed(x: object, name: str) -> object:
        channels = x.shape[0]  # type: ignore[attr-defined]
        mean = net.input(f"{name}_mean", shape=(channels,), shared=True)
        variance = net.input(f"{name}_var", shape=(channels,), shared=True)
        return net.layer("batch_norm", x, mean, variance, name=name)

    def conv(x: object, name: str, channels: int, kernel: int, stride: int = 1) -> object:
        config = {"channels": channels, "kernel": kernel, "stride": stride, "padding": kernel // 2}
        return normed(net.layer("conv2d", x, name=name, bias=False, **config), f"{name}_norm")

    x = net.input("x", shape=(3, size, size))
    x = net.layer("relu", conv(x, "stem", 64, 7, 2))
    x = net.layer("max_pool2d", x, kernel=3, stride=2, padding=1)
    for stage, (blocks, width) in enumerate(((3, 64), (4, 128), (6, 256), (3, 512))):
        for block in range(blocks):
            name, stride = f"s{stage}b{block}", 2 if stage and not block else 1
            y = net.layer("relu", conv(x, f"{name}_1", width, 1))
            y = net.layer("relu", conv(y, f"{name}_2", width, 3, stride))
            y = conv(y, f"{name}_3", 4 * width, 1)
            x = conv(x, f"{name}_skip", 4 * width, 1, stride) if not block else x
            x = net.layer("relu", net.layer("add", x, y))
    scores = net.layer("linear", net.layer("mean", x, axes=[1, 2]), name="fc", units=1000)
    net.loss = net.layer("softmax_nll", scores, net.input("y", shape=(), dtype="int64"))
    return net


def gpt2_sized(length: int = 16) -> Network:
    """A transformer with the sizes of GPT-2 small, without its positions: 123.6 million parameters."""
    net = Network()
    tokens = net.input("tokens", shape=(length,), dtype="int64")
    x = net.layer("embedding", tokens, name="wte", rows=VOCABULARY, width=WIDTH)
    for block in range(BLOCKS):
        y = net.layer("layer_norm", x, name=f"b{block}_norm1")
        y = net.layer("multi_head_attention", y, y, y, name=f"b{block}_attention", heads=HEADS, causal=True)
        x = net.layer("add", x, y)
        y = net.layer("layer_norm", x, name=f"b{block}_norm2")
        y = net.layer("gelu", net.layer("linear", y, name=f"b{block}_wide", units=4 * WIDTH))
        x = net.layer("add", x, net.layer("linear", y, name=f"b{block}_narrow", units=WIDTH))
    x = net.layer("layer_norm", x, name="norm")
    last = net.layer("mean", x, axes=[0])
    net.loss = net.layer(
        "softmax_nll",
        net.layer("linear", last, name="head", units=VOCABULARY, bias=False, tied_to="wte"),
        net.input("y", shape=(), dtype="int64"),
    )
    return net

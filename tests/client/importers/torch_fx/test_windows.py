"""Convolutions, pooling and padding of torch, with every setting: torch's numbers, or a refusal by name."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from deltawire import Client, Refused

pytestmark = pytest.mark.torch

LINE, IMAGE, VOLUME = (3, 4, 9), (3, 4, 7, 6), (3, 2, 5, 6, 4)

MODULES: dict[str, tuple[int, ...]] = {
    "Conv1d(4, 3, 2, padding='same')": LINE,
    "Conv1d(4, 3, 3, padding=2, padding_mode='circular')": LINE,
    "Conv2d(4, 3, (2, 3), padding='same', dilation=(1, 2))": IMAGE,
    "Conv2d(4, 3, 3, padding=(2, 1), padding_mode='reflect')": IMAGE,
    "Conv2d(4, 3, (2, 3), padding='same', padding_mode='replicate')": IMAGE,
    "Conv2d(4, 3, 3, padding=0, padding_mode='replicate')": IMAGE,
    "ConvTranspose1d(4, 3, 2)": LINE,
    "ConvTranspose1d(4, 6, 3, stride=3, padding=1, output_padding=2, groups=2, bias=False)": LINE,
    "ConvTranspose2d(4, 3, 2)": IMAGE,
    "ConvTranspose2d(4, 6, (3, 2), stride=2, padding=(1, 0), output_padding=1, groups=2, dilation=2)": IMAGE,
    "AvgPool2d(2, divisor_override=3)": IMAGE,
    "AvgPool2d(3, 2, 1, divisor_override=1)": IMAGE,
    "LPPool1d(2, 3)": LINE,
    "LPPool2d(2, (2, 3), stride=2)": IMAGE,
    "MaxPool3d((2, 3, 2))": VOLUME,
    "MaxPool3d(3, 1, 1, dilation=(1, 2, 1))": VOLUME,
    "MaxPool3d(2, ceil_mode=True)": VOLUME,
    "AvgPool3d(2, (1, 2, 1), (1, 0, 1))": VOLUME,
    "AvgPool3d(3, 2, 1, count_include_pad=False)": VOLUME,
    "AvgPool3d(3, 2, 1, ceil_mode=True)": VOLUME,
    "AvgPool3d(2, divisor_override=5)": VOLUME,
    "LPPool3d(2, 2)": VOLUME,
    "AdaptiveAvgPool3d((2, 4, 3))": VOLUME,
    "AdaptiveAvgPool3d((5, 3, None))": VOLUME,
    "AdaptiveMaxPool3d((2, 4, 3))": VOLUME,
    "AdaptiveMaxPool3d(1)": VOLUME,
    "ZeroPad1d((1, 2))": LINE,
    "ConstantPad2d((1, 2, 0, 3), 0.7)": IMAGE,
    "ReflectionPad2d((1, 2, 3, 4))": IMAGE,
    "ReplicationPad3d((1, 2, 3, 0, 5, 1))": VOLUME,
    "CircularPad3d(2)": VOLUME,
}


@pytest.fixture(scope="module")
def torch() -> Any:
    return import_module("torch")


@pytest.fixture(scope="module")
def client() -> Client:
    return Client()


def verdict(module: Any, *examples: Any, client: Client) -> str:
    return str(import_module("support.torch_difference").verdict(module, *examples, client=client))


@pytest.mark.filterwarnings("ignore:Using padding=.same.")
@pytest.mark.parametrize("code", MODULES)
def test_modules(code: str, torch: Any, client: Client) -> None:
    torch.manual_seed(0)
    module = torch.nn.Sequential(eval(f"nn.{code}", {"nn": torch.nn}))
    x = torch.rand(MODULES[code]) + 0.1 if code.startswith("LP") else torch.randn(MODULES[code])
    assert verdict(module, x, client=client) == "right"


def test_the_first_of_equal_numbers_gets_the_delta_of_a_volume(torch: Any, client: Client) -> None:
    torch.manual_seed(0)
    x = torch.randint(0, 2, VOLUME).float()
    for pool in (torch.nn.MaxPool3d(2), torch.nn.MaxPool3d(3, 1, 1), torch.nn.AdaptiveMaxPool3d((2, 4, 3))):
        module, from_torch = (
            torch.nn.Sequential(pool),
            import_module("deltawire.importers.torch_fx").from_torch,
        )
        imported = from_torch(module, x, client=client)
        difference = import_module("support.torch_difference").difference
        assert difference(module, (x,), imported, client) == "right"


@pytest.mark.parametrize(
    "code, shape, message",
    [
        ("Conv3d(2, 3, 2)", VOLUME, "no layer does this"),
        ("ConvTranspose3d(2, 3, 2)", VOLUME, "no layer does this"),
        ("AvgPool2d(4, ceil_mode=True, divisor_override=3)", IMAGE, "divisor_override with ceil_mode"),
        ("LPPool2d(2, 4, ceil_mode=True)", IMAGE, "ceil_mode=True: no layer does this"),
        ("MaxPool3d(2, return_indices=True)", VOLUME, "return_indices=True: no layer does this"),
    ],
)
def test_refused_by_name(code: str, shape: tuple[int, ...], message: str, torch: Any, client: Client) -> None:
    with pytest.raises(Refused, match=message):
        verdict(torch.nn.Sequential(eval(f"nn.{code}", {"nn": torch.nn})), torch.randn(shape), client=client)


@pytest.mark.filterwarnings("ignore:input.s size at dim=0")
def test_channels_are_not_taken_for_examples(torch: Any, client: Client) -> None:
    """Without a batch, InstanceNorm2d reads the leading axis as channels, and norms over both others."""
    from_torch = import_module("deltawire.importers.torch_fx").from_torch
    with pytest.raises(Refused, match="expected a batch: of 3 axes, the first is that of the channels"):
        from_torch(torch.nn.Sequential(torch.nn.InstanceNorm2d(3)), torch.randn(3, 6, 6), check=False)

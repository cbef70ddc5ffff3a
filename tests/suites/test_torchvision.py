"""torchvision's families, the smallest member of each, in eval mode: values and all gradients are torch's."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from suites.verdicts import Entry, Suite, recorded
from support.torchvision_operators import define_operators

SIDE = 64
SIDES = {"inception_v3": 96}
"""Sides of the images: the smallest that all of a family's layers can read."""

CLASSIFIERS = (
    "alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "efficientnet_v2_s", "mnasnet0_5",
    "mobilenet_v2", "mobilenet_v3_small", "regnet_x_400mf", "regnet_y_400mf", "resnet18", "resnext50_32x4d",
    "shufflenet_v2_x0_5", "squeezenet1_1", "swin_t", "swin_v2_t", "vgg11", "wide_resnet50_2",
)  # fmt: skip


@cache
def models() -> Any:
    """Import torchvision's models; define the operators first that its import expects."""
    define_operators()
    from torchvision import models

    return models


@cache
def families() -> dict[str, Callable[[], Any]]:
    """Return what makes the smallest member of each family."""

    def made(model: Callable[..., Any], *args: Any, **settings: Any) -> Callable[[], Any]:
        return lambda: model(*args, **settings)

    own = models()
    found = {name: made(getattr(own, name), num_classes=10) for name in CLASSIFIERS}
    found |= {
        name: made(getattr(own, name), num_classes=10, init_weights=False)
        for name in ("googlenet", "inception_v3")
    }
    found["vit_b_32"] = made(own.vit_b_32, num_classes=10, image_size=SIDE)
    # Every named member has partitions of 7, which only images of 224 divide into.
    found["maxvit"] = made(
        own.MaxVit, (SIDE, SIDE), stem_channels=8, block_channels=[8, 16], block_layers=[1, 1], head_dim=4,
        stochastic_depth_prob=0.0, partition_size=2,
    )  # fmt: skip
    found |= {
        name: made(getattr(own.segmentation, name), weights_backbone=None)
        for name in ("deeplabv3_mobilenet_v3_large", "fcn_resnet50", "lraspp_mobilenet_v3_large")
    }
    return found


@cache
def entries() -> dict[str, Entry]:
    return {name: entry(name, make) for name, make in sorted(families().items())}


def entry(name: str, make: Callable[[], Any]) -> Entry:
    def differs() -> str:
        import torch
        from suites import torch_entries

        torch.manual_seed(0)
        side = SIDES.get(name, SIDE)
        return torch_entries.differs(make().eval(), torch.randn(2, 3, side, side))

    return differs


SUITE = Suite("torchvision", entries)


@pytest.mark.suites
def test_every_family_has_a_verdict() -> None:
    SUITE.check_names()


@pytest.mark.suites
@pytest.mark.parametrize("name", recorded("torchvision"))
def test_a_family_keeps_its_verdict(name: str) -> None:
    SUITE.check(name)

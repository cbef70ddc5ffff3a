"""Configurations of transformers, tiny and with random weights: values and all gradients are torch's."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
import pytest
from suites.verdicts import Entry, Suite, recorded
from support.torchvision_operators import define_operators

LENGTH, WORDS = 6, 40

SIZES = {
    "vocab_size": WORDS,
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 16,
}

Made = tuple[Any, tuple[Any, ...]]
"""A module in eval mode, and a batch for each argument of its forward."""


def words(seed: int = 0) -> Any:
    """Return two examples of words, a padding row of the table among them."""
    import torch

    ids = torch.randint(0, WORDS, (2, LENGTH), generator=torch.Generator().manual_seed(seed))
    ids[0, -1] = 1  # the row of RoBERTa's padding
    ids[1, 0] = 0  # and that of the others
    return ids


def pixels(side: int) -> Any:
    import torch

    return torch.randn(2, 3, side, side)


def calling(model: Any, call: Callable[..., Any]) -> Any:
    """Return a module that calls a model in a way of its own: with more arguments, or for one output.

    Args:
        model: The model; its parameters keep their names behind `model.`.
        call: Takes the model and the arguments of the module's forward.
    """
    from torch import nn

    class Calling(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, ids: Any) -> Any:
            return call(self.model, ids)

    return Calling()


def gpt2(**more: Any) -> Made:
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        vocab_size=WORDS, n_positions=16, n_embd=16, n_layer=2, n_head=4, use_cache=False, **more
    )
    return GPT2LMHeadModel(config), (words(),)


def bert() -> Made:
    from transformers import BertConfig, BertForMaskedLM

    return BertForMaskedLM(BertConfig(**SIZES)), (words(),)


def distilbert() -> Made:
    from transformers import DistilBertConfig, DistilBertForMaskedLM

    config = DistilBertConfig(
        vocab_size=WORDS, max_position_embeddings=16, dim=16, hidden_dim=32, n_layers=2, n_heads=4
    )
    return DistilBertForMaskedLM(config), (words(),)


def roberta() -> Made:
    """RoBERTa, which computes positions out of the words where it is given none."""
    from transformers import RobertaConfig, RobertaForMaskedLM

    return RobertaForMaskedLM(RobertaConfig(**SIZES)), (words(),)


def roberta_with_positions() -> Made:
    import torch

    def call(model: Any, ids: Any) -> Any:
        return model(ids, position_ids=torch.arange(2, LENGTH + 2)[None])

    model, examples = roberta()
    return calling(model, call), examples


def llama(**more: Any) -> Made:
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(LlamaConfig(**SIZES, num_key_value_heads=2, use_cache=False, **more)), (words(),)


def mistral() -> Made:
    from transformers import MistralConfig, MistralForCausalLM

    config = MistralConfig(**SIZES, num_key_value_heads=2, sliding_window=3, use_cache=False)
    return MistralForCausalLM(config), (words(),)


def t5() -> Made:
    from torch import nn
    from transformers import T5Config, T5ForConditionalGeneration

    config = T5Config(
        vocab_size=WORDS, d_model=16, d_kv=4, d_ff=32, num_layers=2, num_heads=4,
        relative_attention_num_buckets=8, relative_attention_max_distance=12, use_cache=False,
    )  # fmt: skip

    class Translating(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = T5ForConditionalGeneration(config)

        def forward(self, ids: Any, decoder_ids: Any) -> Any:
            return self.model(input_ids=ids, decoder_input_ids=decoder_ids)

    return Translating(), (words(), words(1)[:, :4])


def vit() -> Made:
    from transformers import ViTConfig, ViTForImageClassification

    config = ViTConfig(
        hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=4, image_size=16,
        patch_size=4,
    )  # fmt: skip
    return ViTForImageClassification(config), (pixels(16),)


def clip_text() -> Made:
    """CLIP of text, whose pooled output is that of the place where the greatest word is."""
    from transformers import CLIPTextConfig, CLIPTextModel

    return CLIPTextModel(CLIPTextConfig(**SIZES)), (words(),)


def clip_text_states() -> Made:
    model, examples = clip_text()
    return calling(model, lambda model, ids: model(ids).last_hidden_state), examples


def whisper_encoder() -> Made:
    import torch
    from transformers import WhisperConfig
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    config = WhisperConfig(
        vocab_size=WORDS, num_mel_bins=8, d_model=16, encoder_layers=2, encoder_attention_heads=4,
        encoder_ffn_dim=32, max_source_positions=8,
    )  # fmt: skip
    return WhisperEncoder(config), (torch.randn(2, 8, 16),)


def convnext_v2() -> Made:
    from transformers import ConvNextV2Config, ConvNextV2ForImageClassification

    config = ConvNextV2Config(hidden_sizes=[8, 12, 16, 20], depths=[1, 1, 1, 1], image_size=32)
    return ConvNextV2ForImageClassification(config), (pixels(32),)


def modernbert() -> Made:
    from transformers import ModernBertConfig, ModernBertForMaskedLM

    config = ModernBertConfig(
        **SIZES, pad_token_id=0, local_attention=4, global_attn_every_n_layers=2, reference_compile=False
    )
    return ModernBertForMaskedLM(config), (words(),)


CONFIGURATIONS: dict[str, Callable[[], Made]] = {
    "bert": bert,
    "clip_text, its last hidden state": clip_text_states,
    "clip_text, with its pooled output": clip_text,
    "convnext_v2": convnext_v2,
    "distilbert": distilbert,
    "gpt2": gpt2,
    "gpt2, eager attention": partial(gpt2, attn_implementation="eager"),
    "llama": llama,
    "llama, eager attention": partial(llama, attn_implementation="eager"),
    "mistral": mistral,
    "modernbert": modernbert,
    "roberta, positions computed out of its words": roberta,
    "roberta, positions given": roberta_with_positions,
    "t5": t5,
    "vit": vit,
    "whisper_encoder": whisper_encoder,
}


def made(name: str) -> Made:
    """Make a configuration; no parameter is left at 0 or 1, where errors would not show."""
    import torch

    torch.manual_seed(0)
    define_operators()
    module, examples = CONFIGURATIONS[name]()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    return module.eval(), examples


def entry(name: str) -> Entry:
    def differs() -> str:
        from suites import torch_entries

        module, examples = made(name)
        return torch_entries.differs(module, *examples)

    return differs


@cache
def entries() -> dict[str, Entry]:
    return {name: entry(name) for name in CONFIGURATIONS}


SUITE = Suite("transformers", entries)


@pytest.mark.suites
def test_every_configuration_has_a_verdict() -> None:
    SUITE.check_names()


@pytest.mark.suites
@pytest.mark.parametrize("name", recorded("transformers"))
def test_a_configuration_keeps_its_verdict(name: str) -> None:
    SUITE.check(name)


@pytest.mark.suites
@pytest.mark.parametrize("name", ["gpt2, eager attention", "llama, eager attention", "vit"])
def test_hessian_vector_products_are_those_of_torch(name: str) -> None:
    import torch
    from suites import torch_entries
    from support.torch_difference import arguments

    from deltawire.exporters.torch import to_state_dict
    from deltawire.importers.torch_fx import from_torch

    module, examples = made(name)
    imported = from_torch(module, *examples, check=False)
    network, params, constants, (output,) = imported
    draw = np.random.default_rng(0)
    vectors = {name: draw.standard_normal(array.shape).astype("f4") for name, array in params.items()}
    shape = tuple(module(*examples).logits.shape)
    cotangent = draw.standard_normal(shape).astype("f4")

    learned = {one: two for one, two in module.named_parameters() if two.requires_grad}
    directions = to_state_dict(network, vectors, {})
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        total = (module(*examples).logits * torch.from_numpy(cotangent)).sum()
        first = torch.autograd.grad(total, list(learned.values()), create_graph=True)
        along = sum((one * directions[name]).sum() for name, one in zip(learned, first, strict=True))
        expected = torch.autograd.grad(along, list(learned.values()), allow_unused=True)

    data = constants | dict(zip(arguments(imported), (one.numpy() for one in examples), strict=True))
    products = torch_entries.client().hvp(network, params, data, vectors, cotangents={output: cotangent})
    state = to_state_dict(network, products, {})
    greatest = max(float(one.abs().max()) for one in expected if one is not None)
    for name, theirs in zip(learned, expected, strict=True):
        right = np.zeros(tuple(learned[name].shape)) if theirs is None else theirs.numpy()
        np.testing.assert_allclose(state[name].numpy(), right, rtol=0, atol=1e-5 * greatest, err_msg=name)

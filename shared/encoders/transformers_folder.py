"""A BERT and its tokenizer from a folder as Hugging Face writes it, on the hospital's disk; nothing is downloaded."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from shared.encoders.pretrained import read_weights, unfit
from shared.encoders.words import stable_hash

RANK, ALPHA, ADAPTED = 4, 8, ["query", "value"]  # of LoRA (Hu et al., ICLR 2022, section 4.2)
INVENTED_WORDS, MOST_TOKENS = 128, 4096  # of the stand-in


@dataclass(frozen=True)
class Shaped:
    """What the study declares of the model, so that a server knows the trained parameters without the folder."""

    dimension: int
    layers: int
    tokens: int
    lora: bool


@dataclass(frozen=True)
class Bert:
    """The model in evaluation mode, its tokenizer (text to numbers of tokens), and how many tokens there are."""

    model: nn.Module
    tokenize: Callable[[str], list[int]]
    ends: tuple[int, int]  # the tokens that begin and end a text
    vocabulary: int

    def hidden(self, weights: dict[str, Tensor], ids: Tensor, mask: Tensor) -> Tensor:
        """Last hidden states: ids and mask (patients, tokens) to (patients, tokens, dimension).

        Positions, kinds and the additive mask are given, because the model's own handling of them looks at the data.
        """
        places = torch.arange(ids.shape[1]).expand(ids.shape)
        additive = (1 - mask)[:, None, None, :] * torch.finfo(mask.dtype).min
        inputs = {"input_ids": ids, "attention_mask": additive, "position_ids": places}
        out = torch.func.functional_call(
            self.model, weights, (), {**inputs, "token_type_ids": torch.zeros_like(ids), "return_dict": False}
        )
        states: Tensor = out[0]
        return states


def skeleton(shaped: Shaped) -> nn.Module:
    """The declared model without memory: for the names and shapes of its weights."""
    with torch.device("meta"):
        return _model(_config(shaped), shaped.lora)


def invented(shaped: Shaped) -> Bert:
    """A model of random weights that reads hashed words, the same at every call."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = _model(_config(shaped), shaped.lora)

    def tokenize(text: str) -> list[int]:
        return [3 + stable_hash(word) % (INVENTED_WORDS - 3) for word in text.split()]

    return Bert(model, tokenize, (1, 2), INVENTED_WORDS)


def read_bert(folder: Path, shaped: Shaped) -> Bert:
    """The folder's model; SiteError where it is no BERT, or not of the declared shape."""
    from transformers import AutoTokenizer, BertConfig

    try:
        config = BertConfig.from_json_file(folder / "config.json")
        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    except Exception:  # the libraries raise many kinds, with texts that show the path
        raise unfit("the folder holds no config.json and tokenizer that transformers can read") from None
    _require(config, shaped)
    with torch.random.fork_rng(devices=[]):  # layers draw their weights before they get the file's
        model = _model(config, shaped.lora)
    _load(model, read_weights(folder))

    def tokenize(text: str) -> list[int]:
        return [int(number) for number in tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]]

    return Bert(model, tokenize, (tokenizer.cls_token_id, tokenizer.sep_token_id), config.vocab_size)


def _require(config: Any, shaped: Shaped) -> None:
    """The declared shape, and nothing but a BERT."""
    dimension, layers = config.hidden_size, config.num_hidden_layers
    if config.model_type != "bert" or config.intermediate_size != 4 * dimension:
        raise unfit("the folder's model is no BERT")
    if (dimension, layers) != (shaped.dimension, shaped.layers):
        raise unfit(f"the folder's model needs dimension = {dimension} and layers = {layers} in the study")
    if shaped.tokens > config.max_position_embeddings:
        raise unfit(f"the folder's model reads {config.max_position_embeddings} tokens, fewer than the study's tokens")


def _config(shaped: Shaped) -> Any:
    from transformers import BertConfig

    return BertConfig(
        hidden_size=shaped.dimension,
        num_hidden_layers=shaped.layers,
        num_attention_heads=1,  # shapes do not depend on it
        intermediate_size=4 * shaped.dimension,
        vocab_size=INVENTED_WORDS,
        max_position_embeddings=MOST_TOKENS,
    )


def _model(config: Any, lora: bool) -> nn.Module:
    from transformers import BertModel

    config._attn_implementation = "eager"  # the others look at the mask's content
    model: nn.Module = BertModel(config, add_pooling_layer=False).requires_grad_(False)
    if lora:
        from peft import LoraConfig, inject_adapter_in_model

        adapted = LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=ADAPTED, lora_dropout=0.0)
        model = inject_adapter_in_model(adapted, model)
    return model.eval()


def _load(model: nn.Module, values: dict[str, Tensor]) -> None:
    """The file's weights into the model; its adapters, which no file has, stay."""
    plain = {name.removeprefix("bert."): value for name, value in values.items()}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            value = plain.get(name.replace(".base_layer.", "."))
            if "lora_" in name:
                continue
            if value is None or value.shape != parameter.shape:
                raise unfit(f"the folder's weights lack {name.replace('.base_layer.', '.')}, or have another shape")
            parameter.copy_(value)

"""The tokenizer of the small random models: byte-level BPE of 280 tokens with a ChatML template."""

import json

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|pad|>"]
EOS_IDS = (2, 0)
PAD_ID = 3
# Each pair joins two tokens that exist by then; Ġ is the byte-level spelling of a space.
MERGES = [
    ("Ġ", "t"), ("h", "e"), ("i", "n"), ("r", "e"), ("o", "n"), ("a", "n"), ("e", "r"), ("Ġt", "he"),
    ("Ġ", "a"), ("Ġ", "="), ("Ġ", "s"), ("o", "u"), ("t", "i"), ("an", "d"), ("in", "g"), ("Ġ", "1"),
    ("Ġ", "+"), ("e", "n"), ("o", "r"), ("ti", "on"),
]  # fmt: skip
TEMPLATE = """{%- for message in messages -%}
{{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|im_start|>assistant\\n' -}}
{%- endif -%}
"""


def write_tokenizer(folder):
    """Writes tokenizer.json, tokenizer_config.json, chat_template.jinja and generation_config.json."""
    tokens = SPECIAL + sorted(pre_tokenizers.ByteLevel.alphabet()) + [left + right for left, right in MERGES]
    vocab = {token: index for index, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=MERGES))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL])
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    write(
        folder / "tokenizer_config.json",
        {
            "added_tokens_decoder": {
                str(index): {
                    "content": token,
                    "lstrip": False,
                    "normalized": False,
                    "rstrip": False,
                    "single_word": False,
                    "special": True,
                }
                for index, token in enumerate(SPECIAL)
            },
            "bos_token": SPECIAL[0],
            "chat_template": TEMPLATE,
            "clean_up_tokenization_spaces": False,
            "eos_token": SPECIAL[2],
            "model_max_length": 256,
            "pad_token": SPECIAL[3],
            "tokenizer_class": "PreTrainedTokenizerFast",
        },
    )
    write(
        folder / "generation_config.json",
        {"bos_token_id": 0, "do_sample": True, "eos_token_id": list(EOS_IDS), "pad_token_id": PAD_ID},
    )


def write(path, value):
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")

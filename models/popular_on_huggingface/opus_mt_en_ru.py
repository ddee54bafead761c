# labels: test_group::popular_on_huggingface name::opus_mt_en_ru author::helsinki-nlp task::translation family::marian modality::text
"""https://huggingface.co/Helsinki-NLP/opus-mt-en-ru

Helsinki-NLP/opus-mt-en-ru: MarianMTModel with its published sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.MarianConfig(
    vocab_size=62518,
    d_model=512,
    encoder_layers=6,
    decoder_layers=6,
    encoder_attention_heads=8,
    decoder_attention_heads=8,
    encoder_ffn_dim=2048,
    decoder_ffn_dim=2048,
    max_position_embeddings=512,
    activation_function="swish",
    scale_embedding=True,
    pad_token_id=62517,
    decoder_start_token_id=62517,
)
if pretrained:
    model = transformers.MarianMTModel.from_pretrained("Helsinki-NLP/opus-mt-en-ru")
else:
    model = transformers.MarianMTModel(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
    "decoder_input_ids": torch.randint(0, config.vocab_size, shape),
}

model(**inputs)

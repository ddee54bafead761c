# labels: test_group::popular_on_huggingface name::flan_t5_small author::google task::text2text_generation family::t5 modality::text
"""https://huggingface.co/google/flan-t5-small

google/flan-t5-small: T5ForConditionalGeneration with its published sizes, and random weights unless
asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.T5Config(
    d_ff=1024,
    num_layers=8,
    num_decoder_layers=8,
    num_heads=6,
    feed_forward_proj="gated-gelu",
    tie_word_embeddings=False,
    decoder_start_token_id=0,
)
if pretrained:
    model = transformers.T5ForConditionalGeneration.from_pretrained("google/flan-t5-small")
else:
    model = transformers.T5ForConditionalGeneration(config)
    # The published model does not share its output layer with its embeddings.
    model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().clone())
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
    "decoder_input_ids": torch.randint(0, config.vocab_size, shape),
}

model(**inputs)

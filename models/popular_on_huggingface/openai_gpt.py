# labels: test_group::popular_on_huggingface name::openai_gpt author::openai-community task::text_generation family::openaigpt modality::text
"""https://huggingface.co/openai-community/openai-gpt

openai-community/openai-gpt: OpenAIGPTLMHeadModel with its published sizes, and random weights
unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.OpenAIGPTConfig()
if pretrained:
    model = transformers.OpenAIGPTLMHeadModel.from_pretrained("openai-community/openai-gpt")
else:
    model = transformers.OpenAIGPTLMHeadModel(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)

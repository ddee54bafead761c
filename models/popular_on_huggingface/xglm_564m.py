# labels: test_group::popular_on_huggingface name::xglm_564m author::facebook task::text_generation family::xglm modality::text
"""https://huggingface.co/facebook/xglm-564M

facebook/xglm-564M: XGLMForCausalLM with its published sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.XGLMConfig()
if pretrained:
    model = transformers.XGLMForCausalLM.from_pretrained("facebook/xglm-564M")
else:
    model = transformers.XGLMForCausalLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)

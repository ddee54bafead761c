# labels: test_group::popular_on_huggingface name::stablelm_2_1_6b author::stabilityai task::text_generation family::stablelm modality::text
"""https://huggingface.co/stabilityai/stablelm-2-1_6b

stabilityai/stablelm-2-1_6b: StableLmForCausalLM with its published sizes, and random weights unless
asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.StableLmConfig(
    vocab_size=100352,
    hidden_size=2048,
    num_hidden_layers=24,
    intermediate_size=5632,
    use_qkv_bias=True,
)
if pretrained:
    model = transformers.StableLmForCausalLM.from_pretrained("stabilityai/stablelm-2-1_6b")
else:
    model = transformers.StableLmForCausalLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)

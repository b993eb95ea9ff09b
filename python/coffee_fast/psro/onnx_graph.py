"""A policy as an ONNX graph from information states and legal masks to action probabilities."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from coffee_fast._build import __version__
from coffee_fast.errors import InvalidArgumentError
from coffee_fast.policies import NetworkPolicy, PerStepMixture, Policy, UniformRandom

OPSET = 13  # of 2020: what every runtime in use reads
IR_VERSION = 8


def write_onnx(policy: Policy, path: Path) -> None:
    """Write the graph of one policy; ``InvalidArgumentError`` where the package onnx is not installed."""
    try:
        import onnx
    except ImportError:
        raise InvalidArgumentError(
            "export: format 'onnx' needs the package onnx; install it, or coffee_fast with its extra: "
            "pip install 'coffee-fast[onnx]'"
        ) from None
    graph = _Graph(onnx)
    result = graph.probabilities(policy)
    graph.add("Identity", result, output="probabilities")
    floats, flags = onnx.TensorProto.FLOAT, onnx.TensorProto.BOOL
    value = onnx.helper.make_tensor_value_info
    model = onnx.helper.make_model(
        onnx.helper.make_graph(
            graph.nodes,
            "policy",
            [
                value("information_states", floats, ["B", graph.num_features or "I"]),
                value("legal_masks", flags, ["B", graph.num_actions or "A"]),
            ],
            [value("probabilities", floats, ["B", graph.num_actions or "A"])],
            graph.constants,
        ),
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="coffee_fast",
        producer_version=__version__,
    )
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())


class _Graph:
    """Nodes and constants as they are added; each method returns the name of what it computes."""

    def __init__(self, onnx: Any) -> None:
        self._onnx = onnx
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.num_features: int | None = None
        self.num_actions: int | None = None

    def add(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        output = output or f"value{len(self.nodes)}"
        self.nodes.append(self._onnx.helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def constant(self, array: Any) -> str:
        name = f"constant{len(self.constants)}"
        self.constants.append(self._onnx.numpy_helper.from_array(np.asarray(array), name))
        return name

    def probabilities(self, policy: Policy) -> str:
        """What the policy plays: the twin of its method of this name."""
        if isinstance(policy, UniformRandom):
            legal = self.add("Cast", "legal_masks", to=self._onnx.TensorProto.FLOAT)
            total = self.add("ReduceSum", legal, self.constant(np.array([1], np.int64)), keepdims=1)
            return self.add("Div", legal, total)
        if isinstance(policy, PerStepMixture):
            weighted = [
                self.add("Mul", self.probabilities(component), self.constant(np.float32(weight)))
                for component, weight in zip(policy.components, policy.weights, strict=True)
            ]
            return self.add("Sum", *weighted)
        if isinstance(policy, NetworkPolicy):
            return self._network(policy)
        raise InvalidArgumentError(f"export: a {type(policy).__name__} has no ONNX graph; export as 'numpy' fails too")

    def _network(self, policy: NetworkPolicy) -> str:
        self.num_features, self.num_actions = policy.network.input_size, policy.network.output_size
        values = "information_states"
        for index, (weights, bias) in enumerate(policy.layers):
            values = self.add("Relu", values) if index else values
            values = self.add("Gemm", values, self.constant(weights), self.constant(bias), transB=1)
        if policy.kind == "softmax":
            values = self.add("Div", values, self.constant(np.float32(policy.temperature)))
        legal_values = self.add("Where", "legal_masks", values, self.constant(np.float32(-np.inf)))
        if policy.kind == "softmax":
            return self.add("Softmax", legal_values, axis=1)
        best = self.add("ArgMax", legal_values, axis=1, keepdims=0)  # the lowest on ties
        depth, off_on = self.constant(np.int64(self.num_actions)), self.constant(np.array([0, 1], np.float32))
        return self.add("OneHot", best, depth, off_on, axis=1)

#include <memory>
#include <string>

#include "coffee_fast/fma_peak.hpp"
#include "coffee_fast/mlp.hpp"
#include "pybind.hpp"

namespace coffee_fast::bindings {
namespace {

std::string describe(py::handle object) {
  if (!py::isinstance<py::array>(object)) return py::str(py::type::of(object).attr("__name__"));
  const auto array = py::reinterpret_borrow<py::array>(object);
  const bool contiguous = (array.flags() & py::array::c_style) != 0;
  return std::string(contiguous ? "a " : "a strided ") + std::string(py::str(array.dtype())) + " array of shape " +
         std::string(py::str(array.attr("shape")));
}

/// The array itself, never converted; what is not one of float32 in C order is a TypeError naming it.
Array<float> float32_array(py::handle object, py::ssize_t num_axes, const std::string& name) {
  auto array = as_array<float>(object);
  if (!array) throw py::type_error(name + " must be a C-contiguous float32 array, got " + describe(object));
  if (array.ndim() != num_axes)
    throw InvalidArgument(name + " must have " + std::to_string(num_axes) + (num_axes == 1 ? " axis" : " axes") +
                          ", got " + describe(object));
  return array;
}

Activation parse_activation(const std::string& name) {
  if (name == "relu") return Activation::relu;
  check(name == "product", "Mlp: activation must be relu or product, got ", name);
  return Activation::product;
}

std::shared_ptr<Mlp> make_mlp(const py::sequence& layers, const std::string& activation) {
  if (py::isinstance<py::array>(layers))  // which may have no axes, and so no items
    throw py::type_error("Mlp: layers must be a sequence of pairs (weights, bias), got " + describe(layers));
  std::vector<Array<float>> arrays;  // keeps the memory alive until it is packed
  std::vector<Mlp::Layer> views;
  for (const py::object item : layers) {  // held: the items of an array are made as they are asked for
    const std::string layer = " of layer " + std::to_string(views.size());
    if (!py::isinstance<py::sequence>(item) || py::len(item) != 2)
      throw py::type_error("Mlp: layer " + std::to_string(views.size()) + " must be a pair (weights, bias), got " +
                           describe(item));
    const auto pair = py::reinterpret_borrow<py::sequence>(item);
    const auto& weights = arrays.emplace_back(float32_array(pair[0], 2, "Mlp: weights" + layer));
    const MatrixView<const float> matrix(weights.data(), weights.shape(0), weights.shape(1));
    const auto& bias = arrays.emplace_back(float32_array(pair[1], 1, "Mlp: bias" + layer));
    views.push_back({matrix, as_span(bias)});
  }
  return std::make_shared<Mlp>(views, parse_activation(activation));
}

Array<float> forward(const Mlp& mlp, py::handle inputs) {
  const Array<float> array = float32_array(inputs, 2, "Mlp.forward: inputs");
  const MatrixView<const float> matrix(array.data(), array.shape(0), array.shape(1));
  Array<float> result({array.shape(0), static_cast<py::ssize_t>(mlp.output_size())});
  const MatrixView<float> outputs = as_mutable_matrix(result).first_rows(matrix.rows);
  without_gil([&](CancelToken&) {
    Mlp::Workspace workspace;
    mlp.forward(matrix, outputs, workspace);
  });
  return result;
}

}  // namespace

void bind_mlp(py::module_& module) {
  module.def("measure_fma_peak", &measure_fma_peak, py::arg("duration_s") = 0.05,
             py::call_guard<py::gil_scoped_release>(),
             "The fused multiply-add peak of the active instruction set on one core, in GFLOP/s.");
  py::class_<Mlp, std::shared_ptr<Mlp>>(module, "Mlp",
                                        "Forward pass of a multilayer perceptron: affine layers, ReLU between them, or "
                                        "product layers with a linear read-out.")
      .def(py::init(&make_mlp), py::arg("layers"), py::arg("activation") = "relu",
           "Copies a sequence of pairs (weights f32 [out, in], bias f32 [out]) as torch.nn.Linear stores them. "
           "A \"product\" layer's rows are those of U and then as many of G; the next takes [(Ux + u) * (Gx + g), x].")
      .def("forward", &forward, py::arg("inputs"), "f32 [B, input_size] -> f32 [B, output_size]; releases the GIL.")
      .def_property_readonly("input_size", &Mlp::input_size)
      .def_property_readonly("output_size", &Mlp::output_size)
      .def_property_readonly("num_parameters", &Mlp::num_parameters);
}

}  // namespace coffee_fast::bindings

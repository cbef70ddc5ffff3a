// The team of threads that help a kernel, for Python.
#include "bindings.hpp"
#include "team.hpp"

void bind_team(nb::module_ &m) { nb::class_<Team>(m, "Team").def(nb::init<std::size_t>(), "helpers"_a); }

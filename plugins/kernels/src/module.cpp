// The Python module: its functions check arrays, release the GIL, and call the variant for this processor.
#include "bindings.hpp"

NB_MODULE(_kernels, m) {
    const Variant *best = best_variant();
    m.attr("instructions") = best ? nb::object(nb::str(best->instructions)) : nb::object(nb::none());
    nb::list names;
    for (const char *name : POINTWISE_NAMES) names.append(name);
    m.attr("functions") = nb::tuple(names);
    bind_rows(m);
    bind_losses(m);
    bind_planes(m);
    bind_cells(m);
    bind_panels(m);
    bind_team(m);
    bind_tapes(m);
    bind_routines(m);
    bind_updates(m);
}

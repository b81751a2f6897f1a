#include "fhir/ucum.h"

/* A unit is `factor` of its dimension's base, and `offset` where zero differs.
 */
struct unit {
    struct str code;
    unsigned dimension;
    double factor, offset;
};

enum {
    MASS,
    LENGTH,
    VOLUME,
    TIME,
    PRESSURE,
    TEMPERATURE,
    MASS_CONCENTRATION,
    AMOUNT_CONCENTRATION,
    COUNT_CONCENTRATION,
    ACTIVITY_CONCENTRATION,
    AMOUNT,
    ENERGY,
    RATE,
    FRACTION,
    AREA,
    FLOW,
};

static const struct unit units[] = {
    { STR_INIT("g"), MASS, 1, 0 },
    { STR_INIT("kg"), MASS, 1e3, 0 },
    { STR_INIT("mg"), MASS, 1e-3, 0 },
    { STR_INIT("ug"), MASS, 1e-6, 0 },
    { STR_INIT("ng"), MASS, 1e-9, 0 },
    { STR_INIT("pg"), MASS, 1e-12, 0 },
    { STR_INIT("[lb_av]"), MASS, 453.59237, 0 },
    { STR_INIT("[oz_av]"), MASS, 28.349523125, 0 },
    { STR_INIT("m"), LENGTH, 1, 0 },
    { STR_INIT("km"), LENGTH, 1e3, 0 },
    { STR_INIT("cm"), LENGTH, 1e-2, 0 },
    { STR_INIT("mm"), LENGTH, 1e-3, 0 },
    { STR_INIT("um"), LENGTH, 1e-6, 0 },
    { STR_INIT("nm"), LENGTH, 1e-9, 0 },
    { STR_INIT("[in_i]"), LENGTH, 0.0254, 0 },
    { STR_INIT("[ft_i]"), LENGTH, 0.3048, 0 },
    { STR_INIT("[mi_i]"), LENGTH, 1609.344, 0 },
    { STR_INIT("L"), VOLUME, 1, 0 },
    { STR_INIT("l"), VOLUME, 1, 0 },
    { STR_INIT("dL"), VOLUME, 1e-1, 0 },
    { STR_INIT("mL"), VOLUME, 1e-3, 0 },
    { STR_INIT("ml"), VOLUME, 1e-3, 0 },
    { STR_INIT("uL"), VOLUME, 1e-6, 0 },
    { STR_INIT("fL"), VOLUME, 1e-15, 0 },
    { STR_INIT("s"), TIME, 1, 0 },
    { STR_INIT("ms"), TIME, 1e-3, 0 },
    { STR_INIT("min"), TIME, 60, 0 },
    { STR_INIT("h"), TIME, 3600, 0 },
    { STR_INIT("d"), TIME, 86400, 0 },
    { STR_INIT("wk"), TIME, 604800, 0 },
    { STR_INIT("mo"), TIME, 2629800, 0 },
    { STR_INIT("a"), TIME, 31557600, 0 },
    { STR_INIT("Pa"), PRESSURE, 1, 0 },
    { STR_INIT("kPa"), PRESSURE, 1e3, 0 },
    { STR_INIT("mm[Hg]"), PRESSURE, 133.322, 0 },
    { STR_INIT("cm[H2O]"), PRESSURE, 98.0665, 0 },
    { STR_INIT("bar"), PRESSURE, 1e5, 0 },
    { STR_INIT("K"), TEMPERATURE, 1, 0 },
    { STR_INIT("Cel"), TEMPERATURE, 1, 273.15 },
    { STR_INIT("[degF]"), TEMPERATURE, 5.0 / 9.0, 255.372222222222222 },
    { STR_INIT("g/L"), MASS_CONCENTRATION, 1, 0 },
    { STR_INIT("g/dL"), MASS_CONCENTRATION, 10, 0 },
    { STR_INIT("g/mL"), MASS_CONCENTRATION, 1e3, 0 },
    { STR_INIT("mg/L"), MASS_CONCENTRATION, 1e-3, 0 },
    { STR_INIT("mg/dL"), MASS_CONCENTRATION, 1e-2, 0 },
    { STR_INIT("mg/mL"), MASS_CONCENTRATION, 1, 0 },
    { STR_INIT("ug/L"), MASS_CONCENTRATION, 1e-6, 0 },
    { STR_INIT("ug/dL"), MASS_CONCENTRATION, 1e-5, 0 },
    { STR_INIT("ug/mL"), MASS_CONCENTRATION, 1e-3, 0 },
    { STR_INIT("ng/L"), MASS_CONCENTRATION, 1e-9, 0 },
    { STR_INIT("ng/dL"), MASS_CONCENTRATION, 1e-8, 0 },
    { STR_INIT("ng/mL"), MASS_CONCENTRATION, 1e-6, 0 },
    { STR_INIT("pg/mL"), MASS_CONCENTRATION, 1e-9, 0 },
    { STR_INIT("pg/dL"), MASS_CONCENTRATION, 1e-11, 0 },
    { STR_INIT("mol/L"), AMOUNT_CONCENTRATION, 1, 0 },
    { STR_INIT("mmol/L"), AMOUNT_CONCENTRATION, 1e-3, 0 },
    { STR_INIT("umol/L"), AMOUNT_CONCENTRATION, 1e-6, 0 },
    { STR_INIT("nmol/L"), AMOUNT_CONCENTRATION, 1e-9, 0 },
    { STR_INIT("pmol/L"), AMOUNT_CONCENTRATION, 1e-12, 0 },
    { STR_INIT("10*9/L"), COUNT_CONCENTRATION, 1e9, 0 },
    { STR_INIT("10*3/uL"), COUNT_CONCENTRATION, 1e9, 0 },
    { STR_INIT("10*6/uL"), COUNT_CONCENTRATION, 1e12, 0 },
    { STR_INIT("10*12/L"), COUNT_CONCENTRATION, 1e12, 0 },
    { STR_INIT("/uL"), COUNT_CONCENTRATION, 1e6, 0 },
    { STR_INIT("/mL"), COUNT_CONCENTRATION, 1e3, 0 },
    { STR_INIT("/L"), COUNT_CONCENTRATION, 1, 0 },
    { STR_INIT("U/L"), ACTIVITY_CONCENTRATION, 1, 0 },
    { STR_INIT("mU/L"), ACTIVITY_CONCENTRATION, 1e-3, 0 },
    { STR_INIT("U/mL"), ACTIVITY_CONCENTRATION, 1e3, 0 },
    { STR_INIT("mU/mL"), ACTIVITY_CONCENTRATION, 1, 0 },
    { STR_INIT("kU/L"), ACTIVITY_CONCENTRATION, 1e3, 0 },
    { STR_INIT("mol"), AMOUNT, 1, 0 },
    { STR_INIT("mmol"), AMOUNT, 1e-3, 0 },
    { STR_INIT("umol"), AMOUNT, 1e-6, 0 },
    { STR_INIT("J"), ENERGY, 1, 0 },
    { STR_INIT("kJ"), ENERGY, 1e3, 0 },
    { STR_INIT("cal"), ENERGY, 4.184, 0 },
    { STR_INIT("kcal"), ENERGY, 4184, 0 },
    { STR_INIT("/min"), RATE, 1, 0 },
    { STR_INIT("/s"), RATE, 60, 0 },
    { STR_INIT("/h"), RATE, 1.0 / 60, 0 },
    { STR_INIT("{beats}/min"), RATE, 1, 0 },
    { STR_INIT("{breaths}/min"), RATE, 1, 0 },
    { STR_INIT("1"), FRACTION, 1, 0 },
    { STR_INIT("%"), FRACTION, 1e-2, 0 },
    { STR_INIT("m2"), AREA, 1, 0 },
    { STR_INIT("cm2"), AREA, 1e-4, 0 },
    { STR_INIT("mL/min"), FLOW, 1, 0 },
    { STR_INIT("L/min"), FLOW, 1e3, 0 },
    { STR_INIT("L/s"), FLOW, 6e4, 0 },
    { STR_INIT("mL/s"), FLOW, 60, 0 },
};

bool ucum_other(struct str code, size_t i, struct ucum_step *out)
{
    const size_t n = sizeof units / sizeof units[0];
    const struct unit *from = NULL;
    for (size_t k = 0; k < n && from == NULL; k++)
        if (str_eq(units[k].code, code))
            from = &units[k];
    if (from == NULL)
        return false;
    for (size_t k = 0; k < n; k++) {
        const struct unit *to = &units[k];
        if (to == from || to->dimension != from->dimension || i-- > 0)
            continue;
        *out = (struct ucum_step){ .unit = to->code,
                                   .factor = from->factor / to->factor,
                                   .offset = (from->offset - to->offset) /
                                             to->factor };
        return true;
    }
    return false;
}

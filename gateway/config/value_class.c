/* value_class - see value_class.h. The names and units are those of Home Assistant's sensor, binary_sensor and switch.
 */
#include "config/value_class.h"

#include <string.h>

#include "core/units.h"

#define N CLASS_OF_NUMBER
#define B CLASS_OF_BOOL

static const struct value_class classes[] = {
    {"absolute_humidity", N, "g/m³ mg/m³", NULL, false},
    {"apparent_power", N, "VA mVA kVA", "VA mVA kVA", false},
    {"aqi", N, "-", NULL, false},
    {"area", N, "m² cm² mm² km² in² ft² yd² mi² ac ha", "m²", false},
    {"atmospheric_pressure", N, "hPa bar mbar cbar kPa Pa mmHg inHg inH₂O psi", NULL, false},
    {"battery", N | B, "%", NULL, false},
    {"battery_charging", B, NULL, NULL, false},
    {"carbon_dioxide", N, "ppm", NULL, false},
    {"carbon_monoxide", N | B, "ppm ppb μg/m³ mg/m³", NULL, false},
    {"cold", B, NULL, NULL, false},
    {"connectivity", B, NULL, NULL, false},
    {"current", N, "A mA", "A mA", false},
    {"data_rate", N, "bit/s kbit/s Mbit/s Gbit/s B/s kB/s MB/s GB/s KiB/s MiB/s GiB/s", NULL, false},
    {"data_size", N, "bit kbit Mbit Gbit B kB MB GB TB PB KiB MiB GiB TiB", NULL, false},
    {"date", CLASS_OF_TEXT, "-", NULL, false},
    {"distance", N, "m km cm mm mi nmi yd in", NULL, false},
    {"door", B, NULL, NULL, false},
    {"duration", N, "s ms μs min h d", "s ms min h d", false},
    {"energy", N, "kWh Wh mWh MWh GWh TWh J kJ MJ GJ cal kcal Mcal Gcal", "kWh Wh mWh MWh GWh", true},
    {"energy_storage", N, "kWh Wh mWh MWh GWh TWh J kJ MJ GJ cal kcal Mcal Gcal", NULL, false},
    {"enum", CLASS_OF_WORDS, "-", NULL, false},
    {"frequency", N, "Hz mHz kHz MHz GHz", "Hz kHz MHz", false},
    {"garage_door", B, NULL, NULL, false},
    {"gas", N | B, "m³ L ft³ CCF MCF", NULL, true},
    {"heat", B, NULL, NULL, false},
    {"humidity", N, "%", NULL, false},
    {"illuminance", N, "lx", "lx", false},
    {"irradiance", N, "W/m² BTU/(h⋅ft²)", "W/m²", false},
    {"light", B, NULL, NULL, false},
    {"lock", B, NULL, NULL, false},
    {"moisture", N | B, "%", NULL, false},
    {"monetary", N, NULL, NULL, false},
    {"motion", B, NULL, NULL, false},
    {"moving", B, NULL, NULL, false},
    {"nitrogen_dioxide", N, "μg/m³ ppb ppm", NULL, false},
    {"nitrogen_monoxide", N, "μg/m³ ppb", NULL, false},
    {"nitrous_oxide", N, "μg/m³", NULL, false},
    {"occupancy", B, NULL, NULL, false},
    {"opening", B, NULL, NULL, false},
    {"outlet", CLASS_OF_SWITCH, NULL, NULL, false},
    {"ozone", N, "μg/m³ ppb ppm", NULL, false},
    {"ph", N, "-", NULL, false},
    {"plug", B, NULL, NULL, false},
    {"pm1", N, "μg/m³", NULL, false},
    {"pm10", N, "μg/m³", NULL, false},
    {"pm25", N, "μg/m³", NULL, false},
    {"pm4", N, "μg/m³", NULL, false},
    {"power", N | B, "W mW kW MW GW TW", "W mW kW MW", false},
    {"power_factor", N, "- %", NULL, false},
    {"precipitation", N, "mm cm in", NULL, false},
    {"precipitation_intensity", N, "mm/h mm/d in/h in/d", "mm/h", false},
    {"presence", B, NULL, NULL, false},
    {"pressure", N, "hPa bar mbar cbar kPa Pa mPa mmHg inHg inH₂O psi", "bar mbar Pa kPa psi", false},
    {"problem", B, NULL, NULL, false},
    {"reactive_energy", N, "kvarh varh", "kvarh varh", true},
    {"reactive_power", N, "var mvar kvar", "var kvar", false},
    {"running", B, NULL, NULL, false},
    {"safety", B, NULL, NULL, false},
    {"signal_strength", N, "dBm dB", "dBm", false},
    {"smoke", B, NULL, NULL, false},
    {"sound", B, NULL, NULL, false},
    {"sound_pressure", N, "dB dBA", "dBA", false},
    {"speed", N, "m/s km/h ft/s in/h in/s kn mm/d mm/h mm/s mph", NULL, false},
    {"sulphur_dioxide", N, "μg/m³ ppb", NULL, false},
    {"switch", CLASS_OF_SWITCH, NULL, NULL, false},
    {"tamper", B, NULL, NULL, false},
    {"temperature", N, "°C °F K", "°C °F", false},
    {"timestamp", CLASS_OF_TEXT, "-", NULL, false},
    {"update", B, NULL, NULL, false},
    {"vibration", B, NULL, NULL, false},
    {"volatile_organic_compounds", N, "μg/m³ mg/m³", NULL, false},
    {"volatile_organic_compounds_parts", N, "ppb ppm", NULL, false},
    {"voltage", N, "V mV μV kV MV", "V mV kV", false},
    {"volume", N, "m³ L mL gal ft³ CCF MCF", NULL, true},
    {"volume_flow_rate", N, "m³/h m³/min m³/s L/h L/min L/s mL/s ft³/min gal/min gal/h",
     "m³/h m³/min m³/s L/h L/min L/s", false},
    {"volume_storage", N, "m³ L mL gal ft³ CCF MCF", NULL, false},
    {"water", N, "m³ L gal ft³ CCF MCF", NULL, true},
    {"weight", N, "kg g mg μg oz lb st", NULL, false},
    {"wind_direction", N, "°", NULL, false},
    {"wind_speed", N, "m/s km/h ft/s kn mph Beaufort", NULL, false},
    {"window", B, NULL, NULL, false},
};

#undef N
#undef B

const struct value_class *value_class_find(const char *name, struct near *near)
{
    for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
        if (strcmp(name, classes[i].name) == 0)
            return &classes[i];
        if (near)
            near_offer(near, classes[i].name);
    }
    return NULL;
}

/* Whether `unit` is one of the words of `list`. */
static bool lists(const char *list, const char *unit)
{
    size_t len = strlen(unit);

    for (const char *word = list; *word; word += strspn(word, " ")) {
        size_t word_len = strcspn(word, " ");

        if (word_len == len && memcmp(word, unit, len) == 0)
            return true;
        word += word_len;
    }
    return false;
}

const struct value_class *value_class_of_unit(const char *unit)
{
    for (size_t i = 0; i < ARRAY_LEN(classes); i++)
        if (classes[i].unit_says && lists(classes[i].unit_says, unit_symbol(unit)))
            return &classes[i];
    return NULL;
}

bool value_class_has_unit(const struct value_class *class, const char *unit)
{
    return !class->units || lists(class->units, *unit ? unit_symbol(unit) : "-");
}

/* terms - see terms.h. */
#include "broker/terms.h"

#include "core/utf8.h"

static const struct protocol_settings *settings_of(const struct conn *c)
{
    return &c->entrance->settings->protocol;
}

static uint8_t maximum_qos(const struct protocol_settings *s)
{
    return (uint8_t)(2 - s->qos_withheld);
}

/* 3.3.2.3.2; before MQTT 5 nothing says what a payload is. */
static bool is_not_text(const struct mqtt_props *props, struct str payload)
{
    return mqtt_has(props, MQTT_PROP_PAYLOAD_FORMAT) && props->payload_format == 1 && !utf8_valid(payload);
}

enum mqtt_reason terms_check_connect(const struct conn *c, const struct mqtt_packet *p)
{
    const struct protocol_settings *s = settings_of(c);
    const struct mqtt_will *will = &p->connect.will;

    if (p->connect.client_id.len == 0 && s->refuses_empty_ids)
        return MQTT_CLIENT_ID_NOT_VALID;
    if (!p->connect.has_will)
        return MQTT_SUCCESS;
    if (will->qos > maximum_qos(s))
        return MQTT_QOS_NOT_SUPPORTED; /* [MQTT-3.2.2-12] */
    if (will->retain && s->retains_nothing)
        return MQTT_RETAIN_NOT_SUPPORTED; /* [MQTT-3.2.2-13] */
    if (s->check_payload_format && is_not_text(&will->props, will->payload))
        return MQTT_PAYLOAD_FORMAT_INVALID;
    return MQTT_SUCCESS;
}

bool terms_redirect(const struct conn *c, enum mqtt_reason *ret_reason, struct mqtt_props *ret_props)
{
    const struct protocol_settings *s = settings_of(c);

    if (!s->redirect_to)
        return false;
    *ret_reason = s->redirect_for_good ? MQTT_SERVER_MOVED : MQTT_USE_ANOTHER_SERVER;
    *ret_props = (struct mqtt_props){.server_reference = str_of(s->redirect_to)};
    mqtt_set(ret_props, MQTT_PROP_SERVER_REFERENCE);
    return true;
}

void terms_take(struct conn *c, const struct mqtt_packet *p)
{
    const struct protocol_settings *s = settings_of(c);
    const struct mqtt_props *props = &p->props;

    c->aliases_most = s->topic_alias_maximum;
    if (mqtt_has(props, MQTT_PROP_TOPIC_ALIAS_MAXIMUM) && props->topic_alias_maximum > 0)
        aliases_offer(&c->aliases, props->topic_alias_maximum);
    c->maximum_qos = maximum_qos(s) & 3U;
    c->retains_nothing = s->retains_nothing;
    c->checked = c->maximum_qos < 2 || c->retains_nothing || s->check_payload_format;
}

/* The text with the client's id in place of %c. Empty without memory. */
static struct str response_info(const struct conn *c)
{
    const char *at = settings_of(c)->response_information;
    struct buf *to = &c->broker->props;
    struct str id = session_id(c->session);

    buf_clear(to);
    while (at && *at) {
        if (at[0] == '%' && at[1] == 'c') {
            buf_append(to, id.data, id.len);
            at += 2;
        } else {
            buf_put_u8(to, (uint8_t)*at++);
        }
    }
    return buf_failed(to) || buf_len(to) > UINT16_MAX ? str_of("") : buf_str(to);
}

void terms_tell(const struct conn *c, const struct mqtt_packet *p, struct mqtt_props *out)
{
    if (c->aliases_most) {
        mqtt_set(out, MQTT_PROP_TOPIC_ALIAS_MAXIMUM);
        out->topic_alias_maximum = c->aliases_most;
    }
    if (c->maximum_qos < 2) {
        mqtt_set(out, MQTT_PROP_MAXIMUM_QOS);
        out->maximum_qos = c->maximum_qos;
    }
    if (c->retains_nothing) {
        mqtt_set(out, MQTT_PROP_RETAIN_AVAILABLE);
        out->retain_available = 0;
    }
    if (mqtt_has(&p->props, MQTT_PROP_REQUEST_RESPONSE_INFO) && p->props.request_response_info) {
        out->response_info = response_info(c);
        if (out->response_info.len > 0)
            mqtt_set(out, MQTT_PROP_RESPONSE_INFO);
    }
}

enum mqtt_reason terms_check_publish(const struct conn *c, const struct mqtt_packet *p)
{
    if (p->publish.qos > c->maximum_qos)
        return MQTT_QOS_NOT_SUPPORTED; /* 3.2.2.3.4 */
    if (p->publish.retain && c->retains_nothing)
        return MQTT_RETAIN_NOT_SUPPORTED; /* [MQTT-3.2.2-14] */
    if (settings_of(c)->check_payload_format && is_not_text(&p->props, p->publish.payload))
        return MQTT_PAYLOAD_FORMAT_INVALID;
    return MQTT_SUCCESS;
}

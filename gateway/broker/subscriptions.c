/* subscriptions - those of one session, plain and shared; see session.h. */
#include "broker/broker_internal.h"
#include "mqtt/topic.h"

int session_subscribe(struct session *s, struct str filter, const struct subscription_options *options,
                      bool *ret_existed)
{
    if (topic_filter_is_shared(filter))
        return share_join(s, filter, options, ret_existed);
    return router_subscribe(&s->broker->router, &s->subscriber, filter, options, ret_existed);
}

bool session_has_subscription(const struct session *s, struct str filter)
{
    if (topic_filter_is_shared(filter))
        return share_has(s, filter);
    return router_has(&s->broker->router, &s->subscriber, filter);
}

bool session_unsubscribe(struct session *s, struct str filter)
{
    if (topic_filter_is_shared(filter))
        return share_leave(s, filter);
    return router_unsubscribe(&s->broker->router, &s->subscriber, filter);
}

package web

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/trailship/trailship/sinks/local"
)

// attributes are the names of filters in a URL.
func attributes() map[string]local.Attribute {
	return map[string]local.Attribute{
		"eventName":    local.EventName,
		"user":         local.User,
		"resourceName": local.ResourceName,
		"resourceType": local.ResourceType,
		"eventSource":  local.EventSource,
		"accessKey":    local.AccessKey,
		"eventId":      local.EventID,
		"readOnly":     local.ReadOnly,
		"outcome":      local.OutcomeIs,
		"account":      local.Account,
		"region":       local.Region,
		"sourceIp":     local.SourceIP,
		"errorCode":    local.ErrorCode,
		"identity":     local.Identity,
		"session":      local.Session,
	}
}

func wrong(format string, args ...any) error {
	return &local.QueryError{Reason: fmt.Sprintf(format, args...)}
}

// readQuery reads the page's query string. Whatever it does not know is an error and not left out: a filter that is
// silently ignored shows events that nobody asked for. The errors are *local.QueryError.
func readQuery(raw string, now time.Time) (local.Query, error) {
	var q local.Query
	parameters, err := url.ParseQuery(raw)
	if err != nil {
		return q, wrong("the address is malformed: %v", err)
	}
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		values := parameters[name]
		if name != "f" && len(values) > 1 {
			return q, wrong("%s is given %d times: give it once", name, len(values))
		}
		if err := readParameter(&q, name, values, now); err != nil {
			return q, err
		}
	}
	return q, nil
}

func readParameter(q *local.Query, name string, values []string, now time.Time) (err error) {
	switch name {
	case "f":
		q.Filters, err = readFilters(values)
	case "from":
		q.Since, err = readTime(name, values[0], now)
	case "to":
		q.Until, err = readTime(name, values[0], now)
	case "cursor":
		q.Before = local.Cursor(values[0])
	case "limit":
		q.Limit, err = strconv.Atoi(values[0])
		if err != nil || q.Limit < 1 || q.Limit > local.MaxLimit {
			return wrong("limit is %q: give a number from 1 to %d", values[0], local.MaxLimit)
		}
	case "tz": // only says how the page shows times
		if values[0] != "utc" && values[0] != "local" {
			return wrong("tz is %q: give utc or local", values[0])
		}
	default:
		return wrong("there is no parameter %q: use f, from, to, tz, cursor and limit", name)
	}
	return err
}

// readFilters reads name:value. Several values of one attribute pass events with any of them.
func readFilters(values []string) ([]local.Filter, error) {
	known := attributes()
	var filters []local.Filter
	for _, text := range values {
		name, value, ok := strings.Cut(text, ":")
		attribute, there := known[name]
		if !ok || !there {
			return nil, wrong("%q is no filter: write f=eventName:RunInstances with one of %s",
				text, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
		at := slices.IndexFunc(filters, func(f local.Filter) bool { return f.Attribute == attribute })
		if at < 0 {
			at = len(filters)
			filters = append(filters, local.Filter{Attribute: attribute})
		}
		filters[at].Values = append(filters[at].Values, value)
	}
	return filters, nil
}

// readTime reads a bound of the time range: ISO 8601 (UTC when it has no offset), Unix seconds, or a duration before now.
func readTime(name, text string, now time.Time) (time.Time, error) {
	if strings.HasPrefix(text, "-") {
		if d, err := time.ParseDuration(text); err == nil {
			return now.Add(d), nil
		}
	}
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil && seconds >= 0 && seconds < 1<<40 {
		return time.Unix(seconds, 0).UTC(), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, wrong("%s is %q: write a time such as 2026-11-21T10:00:00Z, Unix seconds, or -24h", name, text)
}

package history

import (
	"strconv"
	"strings"
	"time"
)

// ParseBound reads an end of a time range: ISO 8601 (UTC when it has no offset), Unix seconds, or a span before now such
// as -30m, -24h or -7d. "" is no bound. end says that it is the range's end: a day means its last second then.
// The error is a *QueryError.
func ParseBound(text string, now time.Time, end bool) (Bound, error) {
	if text == "" {
		return Bound{}, nil
	}
	if span, ok := strings.CutPrefix(text, "-"); ok {
		if d, ok := parseSpan(span); ok {
			return Bound{now.Add(-d), text}, nil
		}
		return Bound{}, wrongTime(text)
	}
	if at, err := time.Parse(time.DateOnly, text); err == nil {
		if end {
			at = at.AddDate(0, 0, 1).Add(-time.Second)
		}
		return Bound{at, text}, nil
	}
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil && seconds >= 0 && seconds < 1<<40 {
		return Bound{time.Unix(seconds, 0).UTC(), text}, nil
	}
	for _, layout := range []string{
		time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateTime, "2006-01-02 15:04",
	} {
		if at, err := time.Parse(layout, text); err == nil && at.Year() > 0 {
			return Bound{at.UTC(), text}, nil
		}
	}
	return Bound{}, wrongTime(text)
}

func wrongTime(text string) error {
	return Wrong(`%q is no time: write 2026-11-21, "2026-11-21 13:16", 2026-11-21T13:16:00+01:00, Unix seconds, or -24h`, text)
}

// parseSpan reads a duration of Go's, which may also be in days or weeks.
func parseSpan(text string) (time.Duration, bool) {
	for unit, hours := range map[string]time.Duration{"d": 24, "w": 7 * 24} {
		if digits, ok := strings.CutSuffix(text, unit); ok {
			n, err := strconv.ParseUint(digits, 10, 14)
			return time.Duration(n) * hours * time.Hour, err == nil //nolint:gosec // of fourteen bits
		}
	}
	d, err := time.ParseDuration(text)
	return d, err == nil && d >= 0
}

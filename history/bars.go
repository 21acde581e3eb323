package history

import "time"

// StepFor is how wide the bars of a histogram from the first to the last second are, so that there are at most so many:
// a width that people count in.
func StepFor(first, last int64, bars int) time.Duration {
	const minute, hour, day = 60, 60 * 60, 24 * 60 * 60
	for _, step := range []int64{
		1, 2, 5, 10, 15, 30, minute, 2 * minute, 5 * minute, 10 * minute, 15 * minute, 30 * minute,
		hour, 2 * hour, 3 * hour, 6 * hour, 12 * hour, day, 2 * day, 7 * day, 14 * day, 28 * day,
	} {
		if count(first, last, step) <= int64(bars) {
			return time.Duration(step) * time.Second
		}
	}
	years := int64(1)
	for count(first, last, years*365*day) > int64(bars) {
		years *= 2
	}
	return time.Duration(years*365*day) * time.Second
}

// count is how many bars of a width there are.
func count(first, last, step int64) int64 { return floor(last, step) - floor(first, step) + 1 }

func floor(second, step int64) int64 {
	if second < 0 {
		return -((-second + step - 1) / step)
	}
	return second / step
}

// BarsFor makes the empty bars of a histogram. They begin at whole multiples of their width since 1970, in UTC.
func BarsFor(first, last int64, step time.Duration) []Bar {
	width := int64(step / time.Second)
	bars := make([]Bar, 0, count(first, last, width))
	for at := floor(first, width) * width; at <= last; at += width {
		bars = append(bars, Bar{From: time.Unix(at, 0).UTC(), To: time.Unix(at+width, 0).UTC()})
	}
	return bars
}

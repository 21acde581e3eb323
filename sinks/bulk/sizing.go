package bulk

import "time"

// The pauses between tries of a larger request, after the cluster has refused one.
const (
	firstRegrow = time.Minute
	lastRegrow  = time.Hour
)

// sizing is how many bytes a request may hold before compression. A refusal for its size halves it for all later requests;
// from then on it grows by a quarter at a time, slowly, since whatever lowered it (a proxy, a full heap) may be gone. A try
// that is refused goes back to what was taken before, and the next one waits twice as long. It is used under the engine's
// lock.
type sizing struct {
	limit, most int
	taken       int       // the largest request that was taken since the limit was last lowered
	next        time.Time // no larger request before
	pause       time.Duration
}

func newSizing(most int) sizing { return sizing{limit: most, most: most, pause: firstRegrow} }

// refused notes a request that was too large, and reports whether that lowers the limit.
func (s *sizing) refused(bytes int, now time.Time) bool {
	to := max(bytes/2, 1)
	if bytes <= s.taken {
		s.taken = 0 // it is not as it was
	}
	if s.taken > to {
		to = s.taken
		s.pause = min(2*s.pause, lastRegrow)
	}
	if to >= s.limit {
		return false
	}
	s.limit, s.next = to, now.Add(s.pause)
	return true
}

// accepted notes a request that was not too large. limited says that it would have been larger without the limit: only
// then is there a use for more.
func (s *sizing) accepted(bytes int, limited bool, now time.Time) {
	s.taken = max(s.taken, bytes)
	if !limited || s.limit == s.most || now.Before(s.next) {
		return
	}
	s.limit = min(s.most, s.limit+max(s.limit/4, 1))
	s.next = now.Add(s.pause)
}

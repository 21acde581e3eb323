package bulk

import "time"

// firstRequests is how many requests may be in flight before anything is known about the cluster.
const firstRequests = 4

// pace says how many requests may be in flight: one more for each round of good answers while there is work for more,
// half as many when the cluster says that it is too much. It is used under the engine's lock.
type pace struct {
	limit float64
	most  float64
	cut   time.Time // when the limit was last halved
}

func newPace(most int) pace {
	return pace{limit: float64(min(firstRequests, most)), most: float64(most)}
}

// allowed is how many requests may be in flight now.
func (p *pace) allowed() int { return max(1, int(p.limit)) }

// good notes a request answered well. saturated says that more requests were wanted than allowed.
func (p *pace) good(saturated bool) {
	if saturated {
		p.limit = min(p.most, p.limit+1/p.limit)
	}
}

// overload notes a request that met an overloaded cluster, or no cluster at all. Requests sent before the last halving
// tell nothing new.
func (p *pace) overload(sent, now time.Time) {
	if sent.Before(p.cut) {
		return
	}
	p.limit, p.cut = max(1, p.limit/2), now
}

package pipeline

// A tally counts the records that each rule of a filter left out, until the metrics take them over.
type tally struct {
	records int64
	rules   []ruleCount
}

type ruleCount struct {
	rule    string
	records int64
}

func (t *tally) add(rule string) {
	t.records++
	for i := range t.rules {
		if t.rules[i].rule == rule {
			t.rules[i].records++
			return
		}
	}
	t.rules = append(t.rules, ruleCount{rule: rule, records: 1})
}

// filtering takes over the records of a tally: read, and at their end.
func (m *Metrics) filtering(t *tally) {
	if t.records == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counts.Read += t.records
	m.counts.Ended[EndFiltered] += t.records
	for _, c := range t.rules {
		m.rules[c.rule] += c.records
	}
	t.records, t.rules = 0, t.rules[:0]
}

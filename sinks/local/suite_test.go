package local_test

import (
	"testing"

	"github.com/trailship/trailship/history/historytest"
)

// The promise of a search, over events that came at once, and over events that came one by one, in another order.
func TestStore_search(t *testing.T) {
	t.Run("at once", func(t *testing.T) {
		s := fresh(t)
		write(t, s, historytest.Records()...)
		historytest.Suite(t, s)
	})
	t.Run("one by one", func(t *testing.T) {
		s := fresh(t)
		records := historytest.Records()
		for i := range records {
			write(t, s, records[(i*7+3)%len(records)])
		}
		historytest.Suite(t, s)
	})
}

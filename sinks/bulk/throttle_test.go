package bulk_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/sinks/bulk"
	"github.com/trailship/trailship/sinks/sinktest"
	"github.com/trailship/trailship/test/standin"
)

// TestRate: what is sent keeps to the rate within each second, and comes close to it over all; tries that fail count.
func TestRate(t *testing.T) {
	size := sinktest.Batch(t, 1, sinktest.Index, ids("w0", 100)...).Size(0, 100) / 100
	cases := []struct {
		name string
		rate bulk.Rate
		want float64 // documents a second
		fail bool    // every second request
	}{
		{"documents", bulk.Rate{Documents: 500}, 500, false},
		{"bytes", bulk.Rate{Bytes: 300 << 10}, float64(300<<10) / float64(size), false},
		{"both, the lower one counts", bulk.Rate{Documents: 200, Bytes: 10 << 20}, 200, false},
		{"less than one a second", bulk.Rate{Documents: 1}, 1, false},
		{"with failures", bulk.Rate{Documents: 500}, 500, true},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				sent, n := map[int]int{}, 0
				start := time.Now()
				c := &standin.Cluster{Fault: func(r *http.Request) *standin.ClusterFault {
					mu.Lock()
					defer mu.Unlock()
					if n++; tc.fail && strings.HasSuffix(r.URL.Path, "_bulk") && n%2 == 0 {
						return &standin.ClusterFault{Status: 503}
					}
					return nil
				}}
				r := open(t, c, func(o *bulk.Options) { o.Limits.Rate = tc.rate })
				docs := min(20_000, int(10*tc.want))
				c.Item = func(string, []byte, []byte) *standin.ItemFault {
					sent[int(time.Since(start)/time.Second)]++
					return nil
				}
				var all sync.WaitGroup
				for i := range 10 {
					all.Go(func() { r.write(t, uint64(i), fmt.Sprint("w", i), docs/10) })
				}
				all.Wait()
				took := time.Since(start).Seconds()
				if got := float64(docs) / took; got > 1.2*tc.want || got < 0.5*tc.want && !tc.fail {
					t.Errorf("got %.1f documents/s, want %.1f", got, tc.want)
				}
				for second, n := range sent {
					if float64(n) > 1.3*tc.want+1 {
						t.Errorf("second %d: got %d documents, want about %.0f", second, n, tc.want)
					}
				}
			})
		})
	}
}

var _ pipeline.Sink = (*bulk.Engine)(nil)

package source_test

import (
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/test/standin"
)

// BenchmarkSQS carries messages of one object of 50 records from receive to delete. The stand-ins' time is in it.
func BenchmarkSQS(b *testing.B) {
	r := newRig(b)
	ids := make([]string, 50)
	for i := range ids {
		ids[i] = strings.Repeat("x", 36)
	}
	body := logFile(ids...)
	r.s3.Generate = func(string, string) ([]byte, bool) { return body, true }
	for i := range b.N {
		r.sqs.Send("q", standin.Notice("audit", key(strconv.Itoa(i)), int64(len(body))))
	}
	gate := pipeline.NewGate(2)
	b.ReportAllocs()
	b.ResetTimer()
	r.start(b)
	work := make(chan pipeline.Delivery)
	var all sync.WaitGroup
	for range 128 {
		all.Go(func() {
			for d := range work {
				ctx, leave, err := gate.Enter(b.Context())
				if err != nil {
					b.Error(err)
					return
				}
				for _, err := range d.Records(ctx) {
					if err != nil {
						b.Error(err)
					}
				}
				leave()
				if err := d.Settle(b.Context(), nil); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for range b.N {
		work <- r.receive(b)
	}
	close(work)
	all.Wait()
}

package pipeline

import (
	"context"
	"errors"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

const (
	settleTimeout = 15 * time.Second       // to tell the source what became of a delivery, also after the drain
	pausePoll     = 200 * time.Millisecond // how often a sink that is not ready is asked again
)

// errDrained is why work is cut short when shutdown takes longer than the drain.
var errDrained = errors.New("shutting down: the drain's time is over")

// A Pipeline carries deliveries from a source to a sink. Fill in the fields, then call Run once.
type Pipeline struct {
	Source      Source
	Sink        Sink
	DeadLetters DeadLetters   // nil: a refused record fails its delivery
	Filter      Filter        // nil: no record is left out
	Redactor    Redactor      // nil: nothing is taken out; filters, ids and enrichers see the whole record
	Enrichers   []Enricher    // called in this order for each record, where the Format is Enrichable
	Format      func() Format // makes the format of one batch; called concurrently
	Index       IndexPattern
	Memory      int64         // bytes that all deliveries hold together
	InFlight    int           // deliveries in hand at most, whatever the memory would allow
	Drain       time.Duration // how long work in hand may take once Run's context ends
	Log         *zap.Logger
	Metrics     *Metrics

	door   Gate // before which deliveries wait for memory and the CPU
	gate   Gate
	budget *budget
	pool   *chunks
	kits   sync.Pool // of *kit
	owners atomic.Uint64
	tried  time.Time // when a delivery was last received although the sink was not ready; of Run's goroutine
}

// Run carries deliveries until the source says io.EOF or ctx ends; then it finishes what is in hand, for at most Drain after
// ctx's end, and hands back the rest. It returns nil when the source is at its end, ctx's error otherwise. By then every
// delivery is settled.
func (p *Pipeline) Run(ctx context.Context) error {
	p.door, p.gate = NewGate(runtime.GOMAXPROCS(0)), NewGate(runtime.GOMAXPROCS(0))
	p.budget = newBudget(p.Memory, &p.Metrics.held)
	p.pool = newChunks(p.budget, p.Format, p.Enrichers)
	p.kits.New = func() any { return newKit(p.Index) }

	work, cut := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cut(nil)
	done := make(chan struct{})
	defer close(done)
	defer context.AfterFunc(ctx, func() {
		select {
		case <-time.After(p.Drain):
			cut(errDrained)
		case <-done:
		}
	})()

	var carrying sync.WaitGroup
	defer carrying.Wait()
	idle := make(chan *carrier)
	defer close(idle)
	slots := make(chan struct{}, p.InFlight)
	for {
		d, err := p.receive(ctx, slots)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		c := p.admit(ctx, d) // here, so that no more is received than there is memory for
		select {
		case idle <- c:
		default:
			carrying.Go(func() {
				for ok := true; ok; c, ok = <-idle {
					c.carry(work)
					<-slots
				}
			})
		}
	}
}

// receive waits for a free slot and a sink that can work, then for a delivery.
func (p *Pipeline) receive(ctx context.Context, slots chan<- struct{}) (Delivery, error) {
	select {
	case slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := p.awaitSink(ctx); err != nil {
		return nil, err
	}
	return p.Source.Receive(ctx)
}

// awaitSink waits while the sink says that it cannot work. What is in hand stays in hand meanwhile, kept alive by its
// source; taking more would only use up the receives that the queue's redrive policy counts.
func (p *Pipeline) awaitSink(ctx context.Context) error {
	sink, ok := p.Sink.(Readiness)
	if !ok {
		return nil
	}
	for {
		err := sink.Ready()
		if err == nil || p.mayTry(err) {
			return nil
		}
		select {
		case <-time.After(pausePoll):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// mayTry reports whether the sink wants one delivery although it is not ready.
func (p *Pipeline) mayTry(err error) bool {
	var partly *Partly
	if !errors.As(err, &partly) || time.Since(p.tried) < partly.Every {
		return false
	}
	p.tried = time.Now()
	return true
}

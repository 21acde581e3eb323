package enrich

import (
	"context"
	"errors"
	"hash/maphash"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
)

// Unavailable is the tag of documents whose IAM tags could not be found out in time.
const Unavailable = "_iam_unavailable"

// directory is IAM, of our own account and of others.
type directory interface {
	// lookup asks for one principal. One that is not there is an answer, not an error.
	lookup(ctx context.Context, p principal) (answer, error)
	// all hands every principal of an account to keep, until keep says no. Each page waits for its turn first.
	all(ctx context.Context, account, partition string, turn func(context.Context) error, keep func(principal, answer) bool) error
	// own is the account that we ourselves are in, "" as long as that is not known.
	own() string
	// reaches reports whether principals of the account can be asked for at all.
	reaches(account []byte) bool
}

// tagger adds the tags and the path of the IAM user or role behind a record.
type tagger struct {
	directory directory
	wait      time.Duration
	writer    writer
	seed      maphash.Seed
	proof     maphash.Seed // of entry.proof
	recent    recent[entry]
	cache     *otter.Cache[digest, *entry]
	now       atomic.Int64 // Unix nanoseconds, kept to the second
	desk      *desk
	metrics   *metrics
	log       *zap.Logger
	said      *once
	file      string
	dirty     atomic.Bool
	absent    []byte // Unavailable, as it is spliced
}

func newTagger(c Config, dir directory, limiter *rate.Limiter, m *metrics, log *zap.Logger) *tagger {
	t := &tagger{
		directory: dir, wait: c.Wait, writer: newWriter(c.IAMTags), seed: maphash.MakeSeed(), proof: maphash.MakeSeed(),
		cache: newCache[*entry](c.IAMTags.Principals), desk: newDesk(limiter), metrics: m, log: log, said: newOnce(),
		file: c.IAMTags.CacheFile, absent: []byte(`"` + Unavailable + `",`),
	}
	t.now.Store(time.Now().UnixNano())
	t.desk.ask, t.desk.keep, t.desk.failed, t.desk.known = t.ask, t.land, t.failed, t.known
	return t
}

func (t *tagger) enrich(ctx context.Context, r *cloudtrail.Record, who *identity, f *ecs.Fragments) {
	t.follow(r)
	v, ok := who.principal()
	if !ok || !t.directory.reaches(v.account) {
		return
	}
	e := t.find(ctx, v)
	if e == nil {
		t.metrics.untagged.Inc()
		f.AddTags(t.absent)
		return
	}
	e.splice(f)
}

// key is the digest of a principal.
func (t *tagger) key(v view) digest { return digest(v.sum(t.seed)) }

func (v view) sum(seed maphash.Seed) uint64 {
	return maphash.Bytes(seed, v.name)*31 + maphash.Bytes(seed, v.account) + uint64(v.kind)
}

// make makes an entry and the key that it is kept by.
func (t *tagger) make(p principal, a answer, at time.Time) (digest, *entry) {
	e := t.writer.entry(p, a, at)
	v := view{kind: p.kind, account: []byte(p.account), name: []byte(p.name)}
	e.proof = v.sum(t.proof)
	return t.key(v), e
}

// find returns the entry of a principal, nil when there is none in time.
func (t *tagger) find(ctx context.Context, v view) *entry {
	key, proof := t.key(v), v.sum(t.proof)
	e := t.recent.at(key).Load()
	if e == nil || e.proof != proof {
		var ok bool
		if e, ok = t.cache.GetIfPresent(key); !ok || e.proof != proof {
			return t.await(ctx, key, v)
		}
	}
	if now, stale := t.now.Load(), e.stale.Load(); now > stale &&
		e.stale.CompareAndSwap(stale, now+int64(time.Minute)) { // the old answer serves meanwhile
		t.desk.fly(key, v, anew)
	}
	return e
}

// store keeps an entry.
func (t *tagger) store(key digest, e *entry) {
	t.cache.Set(key, e)
	t.recent.at(key).Store(e) // not when it is read: it might be one that is being forgotten
}

// await waits for a cold lookup, without holding the CPU.
func (t *tagger) await(ctx context.Context, key digest, v view) *entry {
	f := t.desk.fly(key, v, cold)
	if f == nil {
		return nil
	}
	if t.desk.worth(f) && ctx.Err() == nil {
		pipeline.Blocking(ctx, func() {
			limit := time.NewTimer(t.wait)
			defer limit.Stop()
			select {
			case <-f.done:
			case <-limit.C:
				t.desk.late(f)
			case <-ctx.Done():
			}
		})
	}
	select {
	case <-f.done:
		return f.entry
	default:
		return nil
	}
}

// follow drops what the record says is out of date, and asks for it anew.
func (t *tagger) follow(r *cloudtrail.Record) {
	v, newName, ok := changed(r)
	if !ok || !t.directory.reaches(v.account) {
		return
	}
	at, _ := r.Time()
	t.refresh(v, at)
	if isName(newName) {
		v.name = newName
		t.refresh(v, at)
	}
}

// refresh asks anew for a principal that changed at a time, zero when it is not known. Until the answer is there the old
// one is not used, unless it came well behind the change: in old logs there are many changes, and nobody should wait for
// what is known.
func (t *tagger) refresh(v view, at time.Time) {
	key := t.key(v)
	if e, ok := t.cache.GetIfPresent(key); ok && e.proof == v.sum(t.proof) && e.knows(at) {
		t.desk.spare(key, v)
		return
	}
	_, known := t.cache.Invalidate(key)
	t.recent.at(key).Store(nil)
	if t.desk.again(key) || !known {
		return
	}
	t.desk.fly(key, v, anew)
}

func (t *tagger) ask(ctx context.Context, p principal) (answer, error) {
	a, err := t.directory.lookup(ctx, p)
	if errors.Is(err, errUnreachable) { // which was not known when the record came
		return answer{}, nil
	}
	t.metrics.call(err)
	return a, err
}

// land takes over an answer.
func (t *tagger) land(f *flight, a answer) *entry {
	key, e := t.make(f.principal, a, time.Now())
	t.store(key, e)
	t.dirty.Store(true)
	t.said.forget(place{f.principal.account, f.principal.kind.String()})
	t.said.forget(place{f.principal.account, assuming})
	return e
}

// known is what came in another way than by the flight: the list of all principals has it, perhaps.
func (t *tagger) known(f *flight) *entry {
	e, ok := t.cache.GetIfPresent(f.key)
	if !ok || e.principal.kind != f.principal.kind || e.principal.account != f.principal.account || e.principal.name != f.principal.name {
		return nil // the partition may differ: the list does not say it
	}
	return e
}

// failed says once what is wrong, until it works again: once for the users of an account, once for its roles.
func (t *tagger) failed(p principal, err error) {
	if t.said.first(place{p.account, subject(p, err)}, cause(err)) {
		t.log.Warn("iam cannot be asked, events go on untagged with the tag "+Unavailable,
			zap.String("account", p.account), zap.String("cure", advice(p, err)), zap.Error(err))
	}
}

// keepOne takes over a principal of a list, and reports whether there is room for more.
func (t *tagger) keepOne(p principal, a answer) bool {
	if uint64(t.cache.EstimatedSize()) >= t.cache.GetMaximum() {
		return false
	}
	t.store(t.make(p, a, time.Now()))
	t.dirty.Store(true)
	return true
}

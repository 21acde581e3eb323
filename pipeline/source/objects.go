package source

import (
	"context"
	"iter"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"go.uber.org/zap"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// Objects reads single log objects without a notice: those that were gone or damaged once, when their dead letters are
// replayed. It is safe for concurrent use.
type Objects struct {
	queues []QueueConfig
	read   []*objects // by queue
	local  *Directory
}

// NewObjects returns Objects that read with the roles of the queues of c, which is valid. Watch and InFlight of o are not
// looked at. It asks AWS nothing.
func NewObjects(c Config, o Options) *Objects {
	all := &Objects{queues: c.SQS, local: NewDirectory(DirectoryConfig{}, o.Log)}
	if len(all.queues) == 0 {
		all.queues = []QueueConfig{{}}
	}
	for _, q := range all.queues {
		region, _ := q.endpoint()
		if region == "" {
			region = o.AWS.Region()
		}
		breakers := newBreakers("replay", 0, o.Log.With(zap.String("queue", q.name())), o.Metrics)
		all.read = append(all.read, newObjects(func(r string) aws.Config { return o.AWS.Config(r, q.AssumeRole) }, region, breakers, o.Metrics))
	}
	return all
}

// Records reads one object, or the file of that path when bucket is "", as a Delivery reads its own: see
// pipeline.Delivery. Where several queues are configured it has the role of the one whose list names the bucket.
func (o *Objects) Records(ctx context.Context, bucket, key string) iter.Seq2[*cloudtrail.Record, error] {
	if bucket == "" {
		return (&file{source: o.local, path: key}).Records(ctx)
	}
	from := slices.IndexFunc(o.queues, func(q QueueConfig) bool { return slices.Contains(q.Buckets, bucket) })
	if from < 0 {
		from = max(0, slices.IndexFunc(o.queues, func(q QueueConfig) bool { return len(q.Buckets) == 0 }))
	}
	return func(yield func(*cloudtrail.Record, error) bool) {
		r := o.read[from].begin(notice{bucket: bucket, key: key, size: -1}, pipeline.UnknownSize)
		defer r.end()
		r.read(ctx, yield)
	}
}

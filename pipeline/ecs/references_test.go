package ecs_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
)

func TestReferences(t *testing.T) {
	for _, tc := range []struct {
		name, record string
		want         []string
	}{
		{
			name: "request, response and lists",
			record: `{"eventSource":"ec2.amazonaws.com","eventName":"RunInstances","requestParameters":{"subnetId":"subnet-1"},
				"responseElements":{"instancesSet":{"items":[{"instanceId":"i-1","imageId":"ami-1"},{"instanceId":"i-2"}]}}}`,
			want: []string{"subnetId=subnet-1", "instanceId=i-1", "instanceId=i-2", "imageId=ami-1"},
		},
		{
			name:   "a target of one event",
			record: `{"eventSource":"logs.amazonaws.com","eventName":"DeleteLogGroup","requestParameters":{"logGroupName":"/a"}}`,
			want:   []string{"logGroupName=/a"},
		},
		{
			name:   "the same member of another event",
			record: `{"eventSource":"logs.amazonaws.com","eventName":"CreateLogGroup","requestParameters":{"logGroupName":"/a"}}`,
		},
		{
			name: "neither account nor resources",
			record: `{"eventSource":"s3.amazonaws.com","eventName":"ListBuckets","recipientAccountId":"111122223333",
				"resources":[{"ARN":"arn:aws:s3:::a"}]}`,
		},
		{
			name: "other parts of the record",
			record: `{"eventSource":"sts.amazonaws.com","eventName":"AssumeRole","sourceIdentity":"alice",
				"additionalEventData":{"MFAIdentifier":"arn:mfa"},"requestParameters":{"roleSessionName":"s"}}`,
			want: []string{"roleSessionName=s", "sourceIdentity=alice", "MFAIdentifier=arn:mfa"},
		},
		{name: "no such service", record: `{"eventSource":"x.amazonaws.com","requestParameters":{"groupId":"sg-1"}}`},
		{name: "no service", record: `{"requestParameters":{"groupId":"sg-1"}}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var r cloudtrail.Record
			if err := r.Parse([]byte(tc.record)); err != nil {
				t.Fatal(err)
			}
			var got []string
			ecs.References(&r, func(key string, text []byte) { got = append(got, key+"="+string(text)) })
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("references (-want +got):\n%s", diff)
			}
		})
	}
}

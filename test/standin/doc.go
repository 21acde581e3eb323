// Package standin has stand-ins for SQS, S3 and a search cluster: real small HTTP servers with the semantics that trailship
// depends on, whose faults a test can set. Tests use them in their own process, the benchmark in one of its own.
package standin

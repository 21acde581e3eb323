// Package ecs writes CloudTrail records as documents of the Elastic Common Schema, field for field as Elastic's AWS
// integration (package aws 8.5.1 to 8.8.0, data stream cloudtrail) does, so that its detection rules and dashboards work
// on them unmodified.
package ecs

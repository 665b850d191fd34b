//! What AWS's own APIs tell: one collector a service, one file each.

pub mod joined;
pub mod json;
pub mod policy;
pub mod settings;
pub mod tell;
pub mod user_data;
pub mod world;

mod accessanalyzer;
mod account;
mod acm;
mod autoscaling;
mod backup;
mod budgets;
mod cloudfront;
mod cloudtrail;
mod cloudwatch;
mod config;
mod ec2;
mod ecr;
mod efs;
mod eks;
mod elbv2;
mod guardduty;
mod iam;
mod kms;
mod logs;
mod macie2;
mod organizations;
mod rds;
mod route53;
mod s3;
mod securityhub;
mod sns;
mod ssm;
mod ssoadmin;
mod tagging;

use crate::collector::Collector;

/// The collectors, alphabetical.
pub const COLLECTORS: &[&dyn Collector] = &[
    &accessanalyzer::ACCESSANALYZER,
    &account::ACCOUNT,
    &acm::ACM,
    &autoscaling::AUTOSCALING,
    &backup::BACKUP,
    &budgets::BUDGETS,
    &cloudfront::CLOUDFRONT,
    &cloudtrail::CLOUDTRAIL,
    &cloudwatch::CLOUDWATCH,
    &config::CONFIG,
    &ec2::EC2,
    &ecr::ECR,
    &efs::EFS,
    &eks::EKS,
    &elbv2::ELBV2,
    &guardduty::GUARDDUTY,
    &iam::IAM,
    &kms::KMS,
    &logs::LOGS,
    &macie2::MACIE2,
    &organizations::ORGANIZATIONS,
    &rds::RDS,
    &route53::ROUTE53,
    &s3::S3,
    &securityhub::SECURITYHUB,
    &sns::SNS,
    &ssm::SSM,
    &ssoadmin::SSOADMIN,
    &tagging::TAGGING,
];

#[cfg(test)]
mod wire_tests;

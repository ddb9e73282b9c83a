//! Uploads or downloads one object with the SDK itself: the limit of a proxy in front of S3.
//!
//! `sdk_s3 put|get ENDPOINT BUCKET KEY BYTES` prints the seconds. An upload is in parts of 5 MiB, of which two are on
//! their way at a time; a download is one request whose content is counted and thrown away. Credentials are those of
//! emulators.

use std::error::Error;
use std::time::Instant;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region, ResponseChecksumValidation};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use aws_smithy_http_client::Builder;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

const PART: u64 = 5 << 20;
const AT_A_TIME: usize = 2;

type Failure = Box<dyn Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [what, endpoint, bucket, key, bytes] = arguments.as_slice() else {
        return Err("usage: sdk_s3 put|get ENDPOINT BUCKET KEY BYTES".into());
    };
    let bytes: u64 = bytes.parse()?;
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(Credentials::new("test", "test", None, None, "emulator"))
        .endpoint_url(endpoint)
        .force_path_style(true)
        .http_client(Builder::new().build_http())
        .region(Region::new("us-east-1"))
        // The storage keeps the checksum of a part for that of the whole.
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .build();
    let client = Client::from_conf(config);
    let began = Instant::now();
    match what.as_str() {
        "put" => put(&client, bucket, key, bytes).await?,
        "get" => get(&client, bucket, key, bytes).await?,
        _ => return Err(format!("neither put nor get: {what}").into()),
    }
    println!("{}", began.elapsed().as_secs_f64());
    Ok(())
}

async fn put(client: &Client, bucket: &str, key: &str, bytes: u64) -> Result<(), Failure> {
    let begun = client.create_multipart_upload().bucket(bucket).key(key);
    let begun = begun.send().await?;
    let id = begun.upload_id().ok_or("no id of the upload")?;
    // Not zeros, which a disk or a network might make short.
    let part: Bytes = (0..PART).map(|at| (at * at % 251) as u8).collect();
    let sent = (0..bytes.div_ceil(PART)).map(|at| {
        let length = PART.min(bytes - at * PART);
        let body = part.slice(..usize::try_from(length).unwrap_or(usize::MAX));
        let number = i32::try_from(at + 1);
        async move {
            let number = number?;
            let part = client.upload_part().bucket(bucket).key(key).upload_id(id);
            let part = part.part_number(number).body(ByteStream::from(body));
            let answer = part.send().await?;
            let part = CompletedPart::builder().part_number(number);
            Ok::<_, Failure>(part.set_e_tag(answer.e_tag().map(str::to_owned)).build())
        }
    });
    let parts = stream::iter(sent).buffered(AT_A_TIME);
    let parts = CompletedMultipartUpload::builder()
        .set_parts(Some(parts.try_collect().await?))
        .build();
    let end = client.complete_multipart_upload();
    let end = end.bucket(bucket).key(key).upload_id(id);
    end.multipart_upload(parts).send().await?;
    Ok(())
}

async fn get(client: &Client, bucket: &str, key: &str, bytes: u64) -> Result<(), Failure> {
    let answer = client.get_object().bucket(bucket).key(key).send().await?;
    let (mut body, mut read) = (answer.body, 0);
    while let Some(chunk) = body.try_next().await? {
        read += chunk.len() as u64;
    }
    if read == bytes {
        return Ok(());
    }
    Err(format!("{read} bytes came").into())
}

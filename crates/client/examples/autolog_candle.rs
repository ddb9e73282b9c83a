//! A training loop of candle whose optimizer logs each step.
//!
//! `cargo run -p runledger --features candle --example autolog_candle`

mod common;

use std::error::Error;

use candle_core::{DType, Device, Tensor};
use candle_nn::{
    AdamW, Linear, Module, Optimizer, ParamsAdamW, VarBuilder, VarMap, linear, loss, seq,
};
use runledger::autolog::candle::{Logged, LoggedConfig, log_checkpoint};

const EPOCHS: usize = 3;
const STEPS: usize = 20;

fn main() -> Result<(), Box<dyn Error>> {
    let x: Vec<f32> = common::noise().take(64).collect();
    let x = Tensor::from_vec(x, (64, 1), &Device::Cpu)?;
    let y = x.sqr()?;
    let variables = VarMap::new();
    let [first, second] = layers(&variables)?;
    let net = seq().add(first).add_fn(Tensor::relu).add(second);

    let run = common::start("a net of candle")?;
    let params = ParamsAdamW {
        lr: 0.02,
        ..ParamsAdamW::default()
    };
    let config = LoggedConfig::new(&run, params);
    let mut optimizer = Logged::<AdamW>::new(variables.all_vars(), config)?;
    for epoch in 1..=EPOCHS {
        for _ in 0..STEPS {
            optimizer.backward_step(&loss::mse(&net.forward(&x)?, &y)?)?;
        }
        log_checkpoint(&run, &variables, epoch)?;
    }
    common::end(run)?;
    Ok(())
}

fn layers(variables: &VarMap) -> candle_core::Result<[Linear; 2]> {
    let variables = VarBuilder::from_varmap(variables, DType::F32, &Device::Cpu);
    Ok([
        linear(1, 16, variables.pp("first"))?,
        linear(16, 1, variables.pp("second"))?,
    ])
}

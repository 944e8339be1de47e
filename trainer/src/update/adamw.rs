//! AdamW (Loshchilov & Hutter 2019) with state that can be saved: libtorch's own optimizers cannot show theirs to tch.

use tch::{Kind, Tensor};

use crate::recipe::OptimizerConfig;

/// The moments of every weight, f32, in the weights' canonical order.
#[derive(Debug)]
pub struct AdamW {
    /// First moments.
    pub exp_avg: Vec<Tensor>,
    /// Second moments.
    pub exp_avg_sq: Vec<Tensor>,
    /// Steps taken.
    pub step: u64,
}

impl AdamW {
    /// Fresh moments for `weights`.
    #[must_use]
    pub fn new(weights: &[Tensor]) -> Self {
        let zeros = || weights.iter().map(|w| w.zeros_like().to_kind(Kind::Float)).collect();
        Self { exp_avg: zeros(), exp_avg_sq: zeros(), step: 0 }
    }

    /// Forgets all moments and steps.
    pub fn reset(&mut self) {
        for moment in self.exp_avg.iter_mut().chain(&mut self.exp_avg_sq) {
            let _ = moment.zero_();
        }
        self.step = 0;
    }

    /// One step of all `weights` (f32) by `gradients` (f32) at learning rate `lr`. `decays` says which weights decay.
    pub fn step(
        &mut self,
        config: &OptimizerConfig,
        lr: f64,
        weights: &mut [Tensor],
        gradients: &[Tensor],
        decays: &[bool],
    ) {
        self.step += 1;
        // A run of 2^31 optimizer steps is not to be expected.
        let t = i32::try_from(self.step).unwrap_or(i32::MAX);
        let correction1 = 1.0 - config.beta1.powi(t);
        let correction2 = 1.0 - config.beta2.powi(t);
        tch::no_grad(|| {
            for (index, weight) in weights.iter_mut().enumerate() {
                let gradient = &gradients[index];
                let (m, v) = (&mut self.exp_avg[index], &mut self.exp_avg_sq[index]);
                let _ = m.lerp_(gradient, 1.0 - config.beta1);
                let _ = v.lerp_(&gradient.square(), 1.0 - config.beta2);
                let mut denominator = v.sqrt();
                let _ = denominator.g_div_scalar_(correction2.sqrt());
                let _ = denominator.g_add_scalar_(config.eps);
                let mut change = &*m / denominator;
                let _ = change.g_mul_scalar_(lr / correction1);
                if decays[index] && config.weight_decay > 0.0 {
                    let _ = weight.g_mul_scalar_(1.0 - lr * config.weight_decay);
                }
                let _ = weight.g_sub_(&change);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Device;

    /// The update rule written for one number, in f64.
    fn reference(gradients: &[f64], lr: f64, c: &OptimizerConfig, mut w: f64, decay: bool) -> f64 {
        let (mut m, mut v) = (0.0, 0.0);
        for (i, g) in gradients.iter().enumerate() {
            let t = (i + 1) as f64;
            m = c.beta1 * m + (1.0 - c.beta1) * g;
            v = c.beta2 * v + (1.0 - c.beta2) * g * g;
            if decay {
                w -= lr * c.weight_decay * w;
            }
            w -= lr * (m / (1.0 - c.beta1.powf(t))) / ((v / (1.0 - c.beta2.powf(t))).sqrt() + c.eps);
        }
        w
    }

    #[test]
    fn follows_the_rule_written_for_one_number() {
        let config = OptimizerConfig { weight_decay: 0.1, ..OptimizerConfig::default() };
        let gradients = [0.3, -0.1, 0.7, 0.0, -2.0];
        for decay in [false, true] {
            let mut weights = vec![Tensor::full([3], 0.5, (Kind::Float, Device::Cpu))];
            let mut adam = AdamW::new(&weights);
            for g in gradients {
                let g = vec![Tensor::full([3], g, (Kind::Float, Device::Cpu))];
                adam.step(&config, 0.01, &mut weights, &g, &[decay]);
            }
            let expected = reference(&gradients, 0.01, &config, 0.5, decay);
            let found = weights[0].double_value(&[1]);
            assert!((found - expected).abs() < 1e-6, "{found} against {expected}");
        }
    }
}

export { checkDerivatives } from './analysis/derivative-check.ts';
export { computeJacobian } from './analysis/jacobian.ts';
export type { JacobianOptions } from './analysis/jacobian.ts';
export { linearityScore, measureLinearity } from './analysis/linearity.ts';
export { findNearest } from './analysis/nearest.ts';
export { energyRules, numericalRank, rankBounds, rankRatio } from './analysis/rank.ts';
export { checkReading } from './analysis/self-check.ts';
export type { SelfCheck } from './analysis/self-check.ts';
export { analyzeSpectrum } from './analysis/spectrum.ts';
export { estimateSymmetryDefect, symmetryDefect } from './analysis/symmetry.ts';
export type { Batch, Dataset } from './data/dataset.ts';
export { datasetFrom, inMemory, inMemoryBytes, subset } from './data/dataset.ts';
export { computeMoments } from './data/moments.ts';
export { parseNpy, writeNpy } from './data/npy.ts';
export { parseNpz, writeNpz } from './data/npz.ts';
export { openOnnxFile } from './data/onnx-files.ts';
export { openDataset } from './data/open.ts';
export { parseSafetensors, writeSafetensors } from './data/safetensors.ts';
export type { Denoiser, Sigma } from './denoisers/denoiser.ts';
export { empiricalDenoiser, fitEmpirical } from './denoisers/empirical.ts';
export { fitGaussian, gaussianDenoiser, gaussianFromCovariance, wienerGain } from './denoisers/gaussian.ts';
export { lowRankMixtureDenoiser } from './denoisers/low-rank-mixture.ts';
export { randomMixture, sampleMixture } from './denoisers/mixture-draw.ts';
export { mlp } from './denoisers/network/mlp.ts';
export { networkDenoiser } from './denoisers/network/network-denoiser.ts';
export type { Network } from './denoisers/network/network.ts';
export { unet } from './denoisers/network/unet.ts';
export { initialWeights } from './denoisers/network/weights.ts';
export { Autoencoder } from './denoisers/onnx/autoencoder.ts';
export { OnnxNetwork } from './denoisers/onnx/onnx-network.ts';
export { assignRoles, sampleShapeOf } from './denoisers/onnx/roles.ts';
export { readDiffusersConfig } from './diffusion/diffusers-config.ts';
export { discreteSchedule } from './diffusion/discrete-schedule.ts';
export { edmPreconditioning } from './diffusion/edm.ts';
export { endAtZero, karrasGrid, logGrid } from './diffusion/noise-grid.ts';
export { parameterization } from './diffusion/parameterization.ts';
export type { Parameterization, ParameterizationSpec } from './diffusion/parameterization.ts';
export { parseOnnxSideCar, writeOnnxSideCar } from './diffusion/side-car.ts';
export { jacobianScale } from './diffusion/coordinates.ts';
export { probeDevices, resolveDevice } from './engine/backend/device.ts';
export { sharedBackend, startBackend } from './engine/backend/start.ts';
export { compile } from './engine/compile.ts';
export type { CompileOptions, Executable } from './engine/compile.ts';
export { onnxFunction } from './engine/onnx/function.ts';
export type { OnnxModel } from './engine/onnx/model.ts';
export { readOnnx } from './engine/onnx/read/read-onnx.ts';
export {
  BackendError,
  CancelledError,
  DatasetError,
  DisposedError,
  DomainError,
  DTypeError,
  LabError,
  LoweringError,
  ModelError,
  NumericalError,
  ShapeError,
  SpecError,
  StoreError,
} from './errors/errors.ts';
export type { ErrorCode } from './errors/errors.ts';
export { runInspect } from './experiments/inspect.ts';
export { hashInspectSpec, resolveInspectSpec } from './experiments/inspect-spec.ts';
export { openDenoiser } from './experiments/models.ts';
export { principalAngles, subspaceDistance } from './linalg/angles.ts';
export { eigenvaluesSymmetric, eigh } from './linalg/eigh.ts';
export { matmul } from './linalg/matmul.ts';
export type { LinearOperator } from './linalg/operator.ts';
export { orthonormalRows, qr } from './linalg/qr.ts';
export { leadingSvd, singularValues, svd } from './linalg/svd.ts';
export { leadingTriplets } from './linalg/triplets.ts';
export { euler } from './samplers/euler.ts';
export { heun } from './samplers/heun.ts';
export { sample, sampleFrom } from './samplers/sample.ts';
export { latent, normal, randomKey, uniform } from './tensor/random.ts';
export { tensor, zeros } from './tensor/tensor.ts';
export type { DType, FloatDType, FloatTensor, Tensor } from './tensor/tensor.ts';
export { train } from './training/train.ts';
export { kSubspaces } from './analysis/clustering/k-subspaces.ts';
export { matchedAccuracy, normalizedMutualInformation } from './analysis/clustering/metrics.ts';
export { recoveryError } from './analysis/clustering/recovery.ts';
export { clusterBySubspaces } from './analysis/clustering/subspace-clustering.ts';
export { denoiserDimension } from './analysis/dimension/denoiser-dimension.ts';
export { localPcaDimension } from './analysis/dimension/local-pca.ts';
export { maximumLikelihoodDimension } from './analysis/dimension/maximum-likelihood.ts';
export { nearestNeighbours } from './analysis/dimension/neighbours.ts';
export { predictSamples } from './analysis/dimension/sample-prediction.ts';
export { twoNnDimension } from './analysis/dimension/two-nn.ts';
export { compareBases, leadingBasis } from './analysis/alignment.ts';
export { leadingComponents } from './analysis/principal-components.ts';
export { gaussianFlow, teleport } from './analysis/teleport.ts';
export { localDenoiser } from './denoisers/local.ts';
export { lowRankNetwork } from './denoisers/network/low-rank.ts';
export { reproductions } from './experiments/reproduce/registry.ts';
export { expectedSquaredError, sampleBoundary } from './theory/sample-complexity.ts';
export { aspectRatio, criticalNoise, overlapSquared, sampleEigenvalue } from './theory/spiked-covariance.ts';
export { trainLowRank } from './training/low-rank/train.ts';
export { measureDenoiserDistance, measureDenoisingGap } from './analysis/copying/denoising.ts';
export { exactRate } from './analysis/copying/interval.ts';
export { measureReproducibility } from './analysis/copying/reproducibility.ts';
export { calibrateThreshold, measureCopies } from './analysis/copying/rules.ts';
export { scoreCopies } from './analysis/copying/scores.ts';
export { describeDataset } from './analysis/descriptors/descriptor.ts';
export { gradientDescriptor } from './analysis/descriptors/gradients.ts';
export { openOnnxDescriptor } from './analysis/descriptors/onnx-descriptor.ts';
export { pixelDescriptor } from './analysis/descriptors/pixels.ts';
export { principalDescriptor } from './analysis/descriptors/principal.ts';
export { findDuplicates } from './analysis/duplicates.ts';
export { nearestNeighbors } from './analysis/neighbors.ts';
export { exportOnnx } from './denoisers/network/onnx-export.ts';
export { runAudit } from './experiments/audit.ts';
export { resolveAuditSpec } from './experiments/audit-spec.ts';
export { openAuditSubject } from './experiments/audit-subject.ts';
export { runCompare } from './experiments/compare.ts';
export { resolveCompareSpec } from './experiments/compare-spec.ts';
export { openTrainingData, runTrain } from './experiments/train.ts';
export { resolveTrainSpec } from './experiments/train-spec.ts';
export { composed, reversed, selectDirection } from './editing/compose.ts';
export { directionFiles, readDirections } from './editing/direction-file.ts';
export type { DirectionSet } from './editing/direction-set.ts';
export { editPath, moved, toImages, toNoise } from './editing/edit-image.ts';
export { findDirections } from './editing/find-directions.ts';
export { boxMask, pixelsMask, polygonMask, strokeMask } from './editing/mask.ts';
export type { Mask } from './editing/mask.ts';
export { changeInside } from './editing/measures/change.ts';
export { ssim } from './editing/measures/ssim.ts';
export { supervisedDirection } from './editing/supervised.ts';
export { fitAttributeJudge } from './analysis/attribute-judge.ts';
export { findParts, partMask } from './analysis/parts.ts';
export { openPerceptualDistance } from './analysis/perceptual.ts';
export { runEdit } from './experiments/edit.ts';
export { resolveEditSpec } from './experiments/edit-spec.ts';
export { ancestral } from './samplers/ancestral.ts';
export { invert } from './samplers/invert.ts';
